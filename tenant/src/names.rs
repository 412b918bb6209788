//! The words the organisation is made of.

pub(crate) const DEPARTMENTS: [&str; 12] = [
    "Finance",
    "Sales",
    "Engineering",
    "Human Resources",
    "Legal",
    "Marketing",
    "Operations",
    "Customer Support",
    "Procurement",
    "Research",
    "Information Security",
    "Data Science",
];

pub(crate) const TITLES: [&str; 4] = ["Analyst", "Specialist", "Engineer", "Manager"];

pub(crate) const LOCATIONS: [&str; 10] =
    ["Austin", "Miami", "London", "Pune", "Berlin", "Toronto", "Singapore", "Sydney", "Madrid", "Osaka"];

pub(crate) const APPLICATIONS: [&str; 14] = [
    "Active Directory",
    "Workday",
    "Salesforce",
    "SAP ERP",
    "ServiceNow",
    "GitHub",
    "Snowflake",
    "DataScienceDataset",
    "Slack",
    "Jira",
    "Oracle EBS",
    "AWS",
    "Azure",
    "Concur",
];

pub(crate) const RIGHTS: [&str; 16] = [
    "Read",
    "Write",
    "Approve",
    "Report",
    "Export",
    "Administer",
    "Review",
    "Publish",
    "Audit",
    "Query",
    "Submit",
    "Archive",
    "Configure",
    "Deploy",
    "Reconcile",
    "Schedule",
];

pub(crate) const FIRST_NAMES: [&str; 32] = [
    "Allene", "Kirk", "Ashley", "Amara", "Bjorn", "Carmen", "Deepa", "Elif", "Farid", "Greta", "Hiro",
    "Ines", "Jonas", "Kavya", "Lena", "Mateo", "Nadia", "Olga", "Pedro", "Quinn", "Rosa", "Sven", "Tariq",
    "Uma", "Viktor", "Wen", "Ximena", "Yusuf", "Zoe", "Anouk", "Bruno", "Clara",
];

pub(crate) const LAST_NAMES: [&str; 32] = [
    "Abernathy",
    "Koepp",
    "Pierce",
    "Okafor",
    "Lindqvist",
    "Romero",
    "Sharma",
    "Yilmaz",
    "Haddad",
    "Keller",
    "Tanaka",
    "Moreau",
    "Weber",
    "Iyer",
    "Novak",
    "Silva",
    "Petrova",
    "Ivanova",
    "Costa",
    "Murphy",
    "Ricci",
    "Berg",
    "Aziz",
    "Nair",
    "Sokolov",
    "Zhang",
    "Vargas",
    "Demir",
    "Evans",
    "Dubois",
    "Ferrari",
    "Hansen",
];
