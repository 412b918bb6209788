//! The vendor's filter language: what a `filters` parameter says, and whether a record matches it.
//!
//! `not` binds tighter than `and`, `and` tighter than `or`. Comparisons are case-sensitive.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

/// How deep parentheses and `not` may nest.
const DEEPEST: usize = 64;

/// For each field that may be filtered, the operators it may be filtered with.
pub(crate) type Allowed = BTreeMap<String, Vec<String>>;

#[derive(Debug, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Is { field: String, operator: Operator, values: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Ca,
    Co,
    Eq,
    Ge,
    Gt,
    In,
    IsNull,
    Le,
    Lt,
    Ne,
    Pr,
    Sw,
}

const OPERATORS: [(&str, Operator); 12] = [
    ("ca", Operator::Ca),
    ("co", Operator::Co),
    ("eq", Operator::Eq),
    ("ge", Operator::Ge),
    ("gt", Operator::Gt),
    ("in", Operator::In),
    ("isnull", Operator::IsNull),
    ("le", Operator::Le),
    ("lt", Operator::Lt),
    ("ne", Operator::Ne),
    ("pr", Operator::Pr),
    ("sw", Operator::Sw),
];

impl Operator {
    fn named(name: &str) -> Option<Self> {
        OPERATORS.iter().find(|(known, _)| *known == name).map(|&(_, operator)| operator)
    }

    fn name(self) -> &'static str {
        OPERATORS.iter().find(|&&(_, operator)| operator == self).map_or("", |(name, _)| name)
    }
}

impl Filter {
    /// Reads a filter and holds it against what the operation allows.
    pub(crate) fn parse(text: &str, allowed: &Allowed) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        let filter = parser.any()?;
        match parser.tokens.get(parser.at) {
            None => filter.check(allowed).map(|()| filter),
            Some(token) => Err(format!("{} was not expected after a complete condition", token.shown())),
        }
    }

    fn check(&self, allowed: &Allowed) -> Result<(), String> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().try_for_each(|part| part.check(allowed)),
            Self::Not(inner) => inner.check(allowed),
            Self::Is { field, operator, .. } => match allowed.get(field) {
                None => {
                    let known: Vec<_> = allowed.keys().map(String::as_str).collect();
                    Err(format!(
                        "the field {field:?} cannot be filtered here; these can: {}",
                        known.join(", ")
                    ))
                }
                Some(operators) if !operators.iter().any(|known| known == operator.name()) => Err(format!(
                    "the field {field:?} cannot be filtered with {:?} here; use one of: {}",
                    operator.name(),
                    operators.join(", ")
                )),
                Some(_) => Ok(()),
            },
        }
    }

    /// Whether a record matches, given how to look up one of its fields.
    pub(crate) fn matches(&self, look_up: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(look_up)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(look_up)),
            Self::Not(inner) => !inner.matches(look_up),
            Self::Is { field, operator, values } => holds(&look_up(field), *operator, values),
        }
    }
}

fn holds(value: &Value, operator: Operator, values: &[String]) -> bool {
    let text = text(value);
    let first = values.first().map_or("", String::as_str);
    let ordered = |wanted: fn(Ordering) -> bool| !value.is_null() && wanted(compare(value, &text, first));
    match operator {
        Operator::IsNull => value.is_null(),
        Operator::Pr => !value.is_null(),
        Operator::Eq => ordered(Ordering::is_eq),
        Operator::Ne => !ordered(Ordering::is_eq),
        Operator::Ge => ordered(Ordering::is_ge),
        Operator::Gt => ordered(Ordering::is_gt),
        Operator::Le => ordered(Ordering::is_le),
        Operator::Lt => ordered(Ordering::is_lt),
        Operator::Co => text.contains(first),
        Operator::Sw => text.starts_with(first),
        Operator::In => values.contains(&text),
        Operator::Ca => match value {
            Value::Array(items) => {
                values.iter().all(|wanted| items.iter().any(|item| self::text(item) == *wanted))
            }
            _ => values.iter().all(|wanted| *wanted == text),
        },
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Compares numbers as numbers, dates as dates, and anything else as text.
fn compare(value: &Value, text: &str, other: &str) -> Ordering {
    if let Some((one, other)) = value.as_f64().zip(other.parse().ok()) {
        return one.total_cmp(&other);
    }
    match date(text).zip(date(other)) {
        Some((one, other)) => one.cmp(&other),
        None => text.cmp(other),
    }
}

fn date(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Quoted(String),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::Comma => "\",\"".to_owned(),
            Self::Word(word) => format!("{word:?}"),
            Self::Quoted(text) => format!("the string {text:?}"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '"' => tokens.push(Token::Quoted(quoted(&mut rest)?)),
            blank if blank.is_whitespace() => {}
            first if first.is_alphanumeric() || "-+_.@".contains(first) => {
                let mut word = String::from(first);
                while let Some(more) = rest.next_if(|&more| more.is_alphanumeric() || "-+_.:@".contains(more))
                {
                    word.push(more);
                }
                tokens.push(Token::Word(word));
            }
            other => {
                return Err(format!("{other:?} was not expected outside a string in double quotes"));
            }
        }
    }
    Ok(tokens)
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            Some('"') => return Ok(text),
            Some('\\') => match rest.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                _ => {
                    return Err(
                        "a backslash in a string escapes only a double quote or a backslash".to_owned()
                    );
                }
            },
            Some(other) => text.push(other),
            None => {
                return Err(format!("the string that starts with {text:?} is not closed"));
            }
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self, expected: &str) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token.ok_or_else(|| format!("{expected} was expected at the end"))
    }

    fn takes(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.takes(&Token::Word(wanted.to_owned()))
    }

    fn any(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.one()?))
        } else if self.takes(&Token::Open) {
            let inner = self.any()?;
            self.close()?;
            inner
        } else if self.word("pr") {
            let field = self.field()?;
            Filter::Is { field, operator: Operator::Pr, values: Vec::new() }
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn close(&mut self) -> Result<(), String> {
        match self.next("\")\"")? {
            Token::Close => Ok(()),
            other => Err(format!("\")\" was expected, not {}", other.shown())),
        }
    }

    fn field(&mut self) -> Result<String, String> {
        match self.next("the name of a field")? {
            Token::Word(field) if !["and", "or", "not"].contains(&field.as_str()) => Ok(field),
            other => Err(format!("the name of a field was expected, not {}", other.shown())),
        }
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        let field = self.field()?;
        let operator = match self.next("an operator")? {
            Token::Word(word) => {
                Operator::named(&word).filter(|&operator| operator != Operator::Pr).ok_or(word)
            }
            other => Err(other.shown()),
        };
        let operator = operator
            .map_err(|found| format!("after {field:?} an operator was expected (such as eq), not {found}"))?;
        let values = match operator {
            Operator::IsNull => Vec::new(),
            Operator::In | Operator::Ca => self.list()?,
            _ => vec![self.value()?],
        };
        Ok(Filter::Is { field, operator, values })
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.takes(&Token::Open) {
            return Ok(vec![self.value()?]);
        }
        let mut values = vec![self.value()?];
        while self.takes(&Token::Comma) {
            values.push(self.value()?);
        }
        self.close().map(|()| values)
    }

    fn value(&mut self) -> Result<String, String> {
        match self.next("a value")? {
            Token::Quoted(text) => Ok(text),
            Token::Word(word) if bare(&word) => Ok(word),
            other => Err(format!("a value was expected (text in double quotes), not {}", other.shown())),
        }
    }
}

/// Whether a word may stand as a value without quotes: a number, a boolean or a date.
fn bare(word: &str) -> bool {
    word == "true" || word == "false" || word.parse::<f64>().is_ok_and(f64::is_finite) || date(word).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(filter: &str) -> Result<bool, String> {
        let operators: Vec<String> = OPERATORS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let allowed = ["name", "saved", "size", "at", "note", "tags"]
            .map(|field| (field.to_owned(), operators.clone()))
            .into_iter()
            .collect();
        let record = json!({
            "name": r#"a "b" \ c"#, "saved": true, "size": 9, "at": "2024-01-02T03:04:05.678Z", "tags": ["x", "y"],
        });
        let filter = Filter::parse(filter, &allowed)?;
        Ok(filter.matches(&|field| record.get(field).cloned().unwrap_or_default()))
    }

    #[test]
    fn conditions_hold_as_documented() {
        for (filter, expected) in [
            (r#"name eq "a \"b\" \\ c""#, true),
            (r#"name sw "a \"" and name co "\\""#, true),
            ("saved eq true", true),
            (r#"saved eq "true""#, true),
            ("saved ne true", false),
            ("size gt 10", false),
            ("size ge 9 and size le 9 and size lt 10", true),
            ("at ge 2024-01-02T03:04:05Z", true),
            (r#"at lt "2024-01-02T03:04:05.7Z""#, true),
            ("note isnull", true),
            ("pr note", false),
            ("pr name", true),
            ("size in (1, 9)", true),
            (r#"tags ca ("x","y")"#, true),
            (r#"tags ca ("x","z")"#, false),
            ("size eq 9 or size eq 1 and size eq 2", true),
            ("(size eq 9 or size eq 1) and size eq 2", false),
            ("not size eq 1 and size eq 2", false),
            ("not (size eq 1 and size eq 2)", true),
            ("(size eq 9)and (saved eq true)", true),
        ] {
            assert_eq!(matches(filter), Ok(expected), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_words() {
        for (filter, expected) in [
            ("", "name of a field was expected at the end"),
            ("size", "an operator was expected"),
            ("size EQ 9", "an operator was expected"),
            ("size eq", "a value was expected at the end"),
            ("name eq bare", "text in double quotes"),
            (r#"name eq "open"#, "not closed"),
            (r#"name eq "\n""#, "backslash"),
            ("(size eq 9", r#"")" was expected"#),
            ("size eq 9)", "not expected after"),
            ("other eq 9", "cannot be filtered here; these can: at, name"),
            ("size eq 9; drop", "not expected outside"),
        ] {
            let error = matches(filter).unwrap_err();
            assert!(error.contains(expected), "{filter}: {error}");
        }
        assert!(matches(&format!("{}size eq 9", "not ".repeat(5000))).is_err());
        assert_eq!(matches(&format!("{}size eq 9", "size eq 1 or ".repeat(50_000))), Ok(true));
    }

    #[test]
    fn only_the_operators_of_a_field_are_allowed() {
        let allowed = Allowed::from([("name".to_owned(), vec!["sw".to_owned()])]);
        let error = Filter::parse(r#"name eq "x""#, &allowed).unwrap_err();
        assert!(error.contains(r#"cannot be filtered with "eq""#) && error.ends_with("sw"), "{error}");
    }
}
