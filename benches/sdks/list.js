// Reads a list of potential roles with the vendor's TypeScript SDK, as its documentation says.

const { Configuration, IAIRoleMiningBetaApi, Paginator } = require("sailpoint-api-client");
const axios = require("axios").default;

async function main() {
  const configuration = new Configuration();
  configuration.experimental = true;
  const api = new IAIRoleMiningBetaApi(configuration, undefined, axios.create());
  const roles = await Paginator.paginate(api, api.getAllPotentialRoleSummaries, { limit: 1_000_000 }, 250);
  console.log(roles.data.length);
}

main();
