"""Calls all 25 operations as the vendor's Python SDK documents them, and looks at what its models make of the answers."""

import csv
import io
import json
import re
import sys
import time
import zipfile

from sailpoint.beta.api.iai_role_mining_api import IAIRoleMiningApi
from sailpoint.beta.api_client import ApiClient
from sailpoint.beta import models
from sailpoint.configuration import Configuration

STATES = [
    "CREATED",
    "IDENTITIES_OBTAINED",
    "PRUNE_THRESHOLD_OBTAINED",
    "POTENTIAL_ROLES_PROCESSING",
    "POTENTIAL_ROLES_CREATED",
]


def operations():
    """The names of the SDK's operations, each of which has two twins."""
    names = [name for name in dir(IAIRoleMiningApi) if not name.startswith("_")]
    return {name for name in names if not re.search(r"_with(out_preload_content|_http_info)$", name)}


class Checked:
    """The SDK's operations, counting which of them answered."""

    def __init__(self, api):
        self.api, self.done = api, set()

    def __getattr__(self, name):
        def call(*args, **kwargs):
            try:
                answer = getattr(self.api, name)(*args, **kwargs)
            except Exception as error:
                sys.exit(f"error: {name} failed: {error}")
            if name not in self.done:
                print(f"ok {name}")
                self.done.add(name)
            return answer

        return call


def expect(condition, what):
    if not condition:
        sys.exit(f"error: {what}")


def word(value):
    """The word that stands for an enum value, which some models make an enum of and others leave as it is."""
    return getattr(value, "value", value)


def until(ask, wanted, limit=20):
    """Asks until the wanted word is answered; gives all different answers in order."""
    seen, end = [], time.monotonic() + limit
    while not seen or seen[-1] != wanted:
        expect(time.monotonic() < end, f"{wanted} was not reached in {limit} s, only {seen}")
        word = ask()
        if word not in seen:
            seen.append(word)
        time.sleep(0.02)
    return seen


def members(path):
    """The tables in a zip, which the SDK leaves in the working directory under the name the tenant gave it."""
    with zipfile.ZipFile(path) as archive:
        return {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in archive.namelist()}


def sessions(api):
    body = json.dumps({
        "saved": True,
        "name": "Saved RM Session - 07/10",
        "scope": {"identityIds": [], "criteria": "source.name:DataScienceDataset"},
        "pruneThreshold": 50,
        "minNumIdentitiesInPotentialRole": 5,
        "type": "SPECIALIZED",
    })
    created = api.create_role_mining_sessions(models.RoleMiningSessionDto.from_json(body))
    walked = until(lambda: word(api.get_role_mining_session_status(created.id).state), STATES[-1])
    expect(walked == [state for state in STATES if state in walked], f"the states came in a wrong order: {walked}")
    session = api.get_role_mining_session(created.id)
    expect(session.potential_role_count > 0 and session.identity_count > 0, f"nothing was mined: {session}")
    listed = api.get_role_mining_sessions(
        'saved eq "true" and name sw "Saved RM"', "createdBy,createdDate", 0, 250, True
    )
    expect([one.id for one in listed] == [created.id], "the filter did not find the session alone")
    return session


def roles(api, session):
    everything = api.get_all_potential_role_summaries(
        sorters="-quality", filters='(type eq "SPECIALIZED") and ((name co "Role") or (saved eq true))', limit=250
    )
    own = api.get_potential_role_summaries(session.id, sorters="createdDate", offset=0, limit=250, count=True)
    expect(len(own) == session.potential_role_count, "the session counts other roles than it lists")
    expect({role.id for role in own} <= {role.id for role in everything}, "roles of the session are not among all")
    role = max(own, key=lambda role: role.identity_count)
    for whole in (api.get_potential_role(session.id, role.id), api.get_role_mining_potential_role(role.id)):
        expect(len(whole.identity_ids) == role.identity_count, "the role counts other identities than it lists")
        spread = {one.attribute_name: sum(value.count for value in one.distribution) for one in whole.identity_distribution}
        expect(set(spread.values()) == {role.identity_count}, f"the distribution does not add up: {spread}")
    identities = api.get_identities_potential_role(session.id, role.id, sorters="name", filters='name sw "A"')
    expect(all(one.name.startswith("A") for one in identities), "the filter let through another name")
    return role


def entitlements(api, session, role):
    popular = api.get_entitlements_potential_role(session.id, role.id, True, "-popularity", limit=250)
    shares = [one.popularity for one in popular]
    expect(shares == sorted(shares, reverse=True), "the entitlements are not sorted")
    before = api.get_entitlement_distribution_potential_role(session.id, role.id, True)
    unwanted = popular[-1].entitlement_ref.id
    edit = models.RoleMiningPotentialRoleEditEntitlements.from_json(json.dumps({"ids": [unwanted], "exclude": True}))
    edited = api.update_entitlements_potential_role(session.id, role.id, edit)
    expect(edited.excluded_entitlements == [unwanted], "the exclusion does not show")
    excluded = api.get_excluded_entitlements_potential_role(session.id, role.id, sorters="popularity")
    expect([one.entitlement_ref.id for one in excluded] == [unwanted], "the excluded entitlement is not listed")
    after = api.get_entitlement_distribution_potential_role(session.id, role.id, True)
    expect(sum(after.values()) == sum(before.values()) - 1, "the exclusion does not show in the distribution")
    expect(unwanted not in [one.id for one in api.get_potential_role_entitlements(session.id, role.id)], "still there")
    application = api.get_potential_role_applications(session.id, role.id)[0]
    usage = api.get_potential_role_source_identity_usage(role.id, application.id, sorters="-usageCount")
    expect(len(usage) == min(role.identity_count, 250), "the usage is not that of all identities")


def patches(api, session, role):
    patch = [
        {"op": "replace", "path": "/description", "value": "Acct I - Potential Role"},
        {"op": "replace", "path": "/saved", "value": "true"},
        {"op": "replace", "path": "/name", "value": "Potential Role Accounting"},
    ]
    patch = [models.JsonPatchOperation.from_dict(one) for one in patch]
    api.patch_potential_role_session(session.id, role.id, patch)
    drafts = api.get_saved_potential_roles(sorters="modified")
    expect([draft.name for draft in drafts] == ["Potential Role Accounting"], "the draft is not listed")
    patch = [models.PatchRoleMiningPotentialRoleRequestInner.from_dict({"op": "remove", "path": "/description"})]
    api.patch_role_mining_potential_role(role.id, patch)
    expect(api.get_potential_role(session.id, role.id).description is None, "the description was not removed")


def exports(api, session, role):
    direct = members(api.export_role_mining_potential_role(session.id, role.id))
    expect(len(direct["identities.csv"]) == role.identity_count, "the zip holds other identities than the role")
    body = '{"minEntitlementPopularity": 60, "includeCommonAccess": false}'
    request = models.RoleMiningPotentialRoleExportRequest.from_json(body)
    export = api.export_role_mining_potential_role_async(session.id, role.id, request)
    ask = lambda: word(api.export_role_mining_potential_role_status(session.id, role.id, export.export_id).status)
    until(ask, "SUCCESS")
    later = members(api.download_role_mining_potential_role_zip(session.id, role.id, export.export_id))
    expect(all(float(row["popularity"]) >= 60 for row in later["entitlements.csv"]), "an unpopular one was exported")


def provision(api, session, role):
    body = '{"roleName": "Finance - Accounting", "includeIdentities": true, "directlyAssignedEntitlements": false}'
    request = models.RoleMiningPotentialRoleProvisionRequest.from_json(body)
    answer = api.create_potential_role_provision_request(session.id, role.id, 10, True, request)
    expect(word(answer.provision_state) == "PENDING", f"a new request is {answer.provision_state}")
    until(lambda: word(api.get_potential_role(session.id, role.id).provision_state), "COMPLETE")
    patch = [{"op": "replace", "path": "/pruneThreshold", "value": "83"}, {"op": "add", "path": "/name", "value": "Again"}]
    api.patch_role_mining_session(session.id, [models.JsonPatchOperation.from_dict(one) for one in patch])
    expect(api.get_role_mining_session(session.id).prune_threshold == 83, "the threshold was not changed")


def main():
    configuration = Configuration()
    configuration.experimental = configuration.suppress_experimental_warnings = True
    with ApiClient(configuration) as client:
        api = Checked(IAIRoleMiningApi(client))
        session = sessions(api)
        role = roles(api, session)
        for part in (entitlements, patches, exports, provision):
            part(api, session, role)
    missed = operations() - api.done
    expect(not missed, f"not called: {', '.join(sorted(missed))}")
    print(f"The Python SDK understands all {len(api.done)} operations.")


main()
