"""Reads a list of potential roles with the vendor's Python SDK, as its documentation says."""

from sailpoint.beta.api.iai_role_mining_api import IAIRoleMiningApi
from sailpoint.beta.api_client import ApiClient
from sailpoint.configuration import Configuration
from sailpoint.paginator import Paginator

configuration = Configuration()
configuration.experimental = configuration.suppress_experimental_warnings = True
with ApiClient(configuration) as client:
    api = IAIRoleMiningApi(client)
    # Without a limit of its own, the paginator stops at 1000 and does not say so.
    roles = Paginator.paginate(api.get_all_potential_role_summaries, 1_000_000, limit=250)
print(len(roles))
