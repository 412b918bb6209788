"""Puts words into made-up requests that the tenant can do something with, so that not only refusals are tested."""

import os

import schemathesis


@schemathesis.hook
def map_headers(context, headers):
    """Says the one word that the header may hold, which the document's schema leaves open."""
    if headers and "X-SailPoint-Experimental" in headers and len(str(headers)) % 5 != 0:
        return {**headers, "X-SailPoint-Experimental": "true"}
    return headers


@schemathesis.hook
def map_body(context, body):
    """Names an entitlement that the role has, in most of the well-formed requests to edit its entitlements."""
    if isinstance(body, dict) and isinstance(body.get("exclude"), bool) and isinstance(body.get("ids"), list):
        if all(isinstance(one, str) for one in body["ids"]) and len(str(body)) % 5 != 0:
            return {**body, "ids": [os.environ["ENTITLEMENT_ID"]]}
    return body
