// Lists, patches and exports with the vendor's TypeScript SDK, and looks at what it makes of the answers.

import axios from "axios";
import { Configuration, IAIRoleMiningBetaApi, IAIRoleMiningV2024Api } from "sailpoint-api-client";

function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** The names of the files in a zip, from its central directory. */
function filesIn(zip: Buffer): string[] {
  const names: string[] = [];
  for (let at = zip.indexOf("PK\x01\x02"); at >= 0; at = zip.indexOf("PK\x01\x02", at + 4)) {
    names.push(zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}

async function until(ask: () => Promise<string | undefined>, wanted: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await ask()) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${wanted} was not reached in 10 s`);
}

async function listing(api: IAIRoleMiningBetaApi) {
  const sessions = await api.getRoleMiningSessions({ filters: 'saved eq "true"', sorters: "-createdDate", count: true });
  expect(Number(sessions.headers["x-total-count"]) === sessions.data.length, "the count is not that of the list");
  expect(sessions.data.every((session) => session.saved), "the filter let through an unsaved session");
  const pages: (string | undefined)[] = [];
  for (let offset = 0; ; offset += 2) {
    const { data } = await api.getAllPotentialRoleSummaries({ offset, limit: 2, sorters: "-identityCount" });
    pages.push(...data.map((role) => role.id));
    if (data.length === 0) break;
  }
  const { data } = await api.getAllPotentialRoleSummaries({ sorters: "-identityCount" });
  expect(data.map((role) => role.id).join() === pages.join(), "the pages are not the list");
  const role = data[0];
  expect(role.id && role.session?.id, "a role has no id or no session");
  return { sessionId: role.session.id, potentialRoleId: role.id };
}

async function patching(api: IAIRoleMiningBetaApi, ids: { sessionId: string; potentialRoleId: string }) {
  await api.patchPotentialRole({
    ...ids,
    patchPotentialRoleRequestInnerBeta: [
      { op: "replace", path: "/name", value: "Potential Role Accounting" } as never,
      { op: "replace", path: "/saved", value: true } as never,
    ],
  });
  const { data } = await api.getSavedPotentialRoles();
  expect(data.length === 1 && data[0].name === "Potential Role Accounting", "the draft is not listed");
  const refused = await api
    .patchRoleMiningSession({
      sessionId: ids.sessionId,
      jsonPatchOperationBeta: [{ op: "remove", path: "/name" }],
    })
    .catch((error) => error.response);
  expect(refused.status === 400 && refused.data.trackingId, "a forbidden patch was not refused");
}

async function exporting(api: IAIRoleMiningBetaApi, ids: { sessionId: string; potentialRoleId: string }) {
  const { data } = await api.exportRoleMiningPotentialRoleAsync({
    ...ids,
    roleMiningPotentialRoleExportRequestBeta: { minEntitlementPopularity: 10, includeCommonAccess: true },
  });
  expect(data.exportId, "the export has no id");
  const job = { ...ids, exportId: data.exportId };
  await until(async () => (await api.exportRoleMiningPotentialRoleStatus(job)).data.status, "SUCCESS");
  const download = await api.downloadRoleMiningPotentialRoleZip(job, { responseType: "arraybuffer" });
  const files = filesIn(Buffer.from(download.data as unknown as ArrayBuffer));
  expect(files.join() === "identities.csv,entitlements.csv", `the zip holds ${files}`);
}

async function main() {
  const configuration = new Configuration();
  configuration.experimental = true;
  const api = new IAIRoleMiningBetaApi(configuration, undefined, axios.create());
  const ids = await listing(api);
  console.log("ok listing");
  await patching(api, ids);
  console.log("ok patching");
  await exporting(api, ids);
  console.log("ok exporting");
  const { data } = await new IAIRoleMiningV2024Api(configuration).getRoleMiningSessions({ xSailPointExperimental: "true" });
  expect(data.length > 0, "v2024 lists no sessions");
  console.log("The TypeScript SDK lists, patches and exports.");
}

main().catch((error) => {
  console.error(`error: ${error.message}`, error.response?.data ?? "");
  process.exit(1);
});
