"""Prints, for a shell to read, a token and the ids of things there are in the tenant that SAIL_* name."""

import json
import os
import urllib.parse
import urllib.request

BASE = os.environ["SAIL_BASE_URL"]


def ask(method, path, body=None, **headers):
    request = urllib.request.Request(BASE + path, body, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


form = {
    "grant_type": "client_credentials",
    "client_id": os.environ["SAIL_CLIENT_ID"],
    "client_secret": os.environ["SAIL_CLIENT_SECRET"],
}
token = ask("POST", "/oauth/token", urllib.parse.urlencode(form).encode())["access_token"]
headers = {"Authorization": f"Bearer {token}", "X-SailPoint-Experimental": "true", "Content-Type": "application/json"}
sessions = ask("GET", "/beta/role-mining-sessions", **headers)
session = f"/beta/role-mining-sessions/{sessions[0]['id']}"
role = ask("GET", f"{session}/potential-role-summaries", **headers)[0]["id"]
application = ask("GET", f"{session}/potential-role-summaries/{role}/applications", **headers)[0]["id"]
entitlement = ask("GET", f"{session}/potential-role-summaries/{role}/entitlements", **headers)[0]["id"]
export = ask("POST", f"{session}/potential-roles/{role}/export-async", b"{}", **headers)["exportId"]
print(f"export TOKEN={token}")
print(f"export SESSION_ID={sessions[0]['id']} POTENTIAL_ROLE_ID={role} SOURCE_ID={application} EXPORT_ID={export}")
# A patched session finds new roles; the others shall stay.
print(f"export PATCHED_SESSION_ID={sessions[1]['id']} ENTITLEMENT_ID={entitlement}")
