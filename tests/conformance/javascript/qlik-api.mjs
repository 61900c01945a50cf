// Qlik's own JavaScript client, used as its documentation shows: a key, an OAuth client, lists page by page, what one
// makes and removes, and what it throws. Prints as JSON what it saw.

import { readFileSync } from "node:fs";
import { createQlikApi } from "@qlik/api";

const site = JSON.parse(readFileSync(process.argv[2], "utf8"));
const fresh = { noCache: true };

const withKey = (apiKey) => createQlikApi({ hostConfig: { authType: "apikey", host: site.host, apiKey } });
const withClient = (more) =>
  createQlikApi({
    hostConfig: { authType: "oauth2", host: site.host, noCache: true, ...site.client, ...more },
  });
const key = withKey(site.apiKey);

/** Every row of a list, by the client's own `next`, and how many pages that took. */
async function everyPage(first) {
  const rows = [];
  let pages = 0;
  for (let page = await first; page; page = page.next && (await page.next(fresh))) {
    rows.push(...page.data.data);
    pages += 1;
  }
  return { rows, pages };
}

/** What the client throws. */
async function refusal(call) {
  try {
    return [(await call()).status];
  } catch (error) {
    const first = error.data?.errors?.[0];
    // A refused sign-in is told in the message alone.
    if (error.status === undefined) return error.message;
    return [error.status, first?.code, first?.title, error.headers.get("retry-after")].filter((part) => part !== null);
  }
}

/** Asks again until the answer is as wanted; gives up after half a minute. */
async function until(wanted, ask) {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`waited in vain; last: ${JSON.stringify(answer.data)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function signingIn() {
  const me = (await key.users.getMyUser(fresh)).data;
  const tenant = (await key.tenants.getMyTenant(fresh)).data;
  const bot = (await withClient({}).users.getMyUser(fresh)).data;
  const impersonated = (await withClient({ userId: site.person }).users.getMyUser(fresh)).data;
  return {
    me: [me.id, me.email, me.status, ...me.assignedRoles.map((role) => role.name)],
    tenant: tenant.id,
    bot: [bot.id, bot.name],
    impersonated: impersonated.id,
  };
}

async function apps() {
  const { items, apps } = key;
  const all = await everyPage(items.getItems({ resourceType: "app", limit: 7 }, fresh));
  const first = await items.getItems({ resourceType: "app", limit: 7 }, fresh);
  const again = await (await first.next(fresh)).prev(fresh);
  const [app] = all.rows;
  const { attributes } = (await apps.getAppInfo(app.resourceId, fresh)).data;
  const named = await items.getItems({ name: app.name, resourceType: "app" }, fresh);
  const idsOf = (page) => page.data.data.map((row) => row.id).join();
  return {
    ids: all.rows.map((row) => row.resourceId).sort(),
    pages: all.pages,
    backAgain: idsOf(again) === idsOf(first),
    sameApp: attributes.id === app.resourceId && attributes.name === app.name,
    byName: idsOf(named) === app.id,
  };
}

async function people() {
  const { users, groups, roles } = key;
  const person = (await users.getUser(site.person, {}, fresh)).data;
  const sorted = await everyPage(users.getUsers({ limit: 9, sort: "-name" }, fresh));
  const filter = `email eq "${person.email}"`;
  const byEmail = await users.getUsers({ filter }, fresh);
  const filtered = await users.filterUsers({ limit: 5 }, { filter }, fresh);
  const admins = await roles.getRoles({ filter: 'name eq "TenantAdmin"' }, fresh);
  return {
    count: sorted.rows.length,
    sorted: sorted.rows.every((row, at) => at === 0 || row.name <= sorted.rows[at - 1].name),
    pages: sorted.pages,
    counted: (await users.countUsers({}, fresh)).data.total,
    byEmail: byEmail.data.data.map((row) => row.id),
    filtered: filtered.data.data.map((row) => row.id),
    groups: (await everyPage(groups.getGroups({ limit: 4 }, fresh))).rows.length,
    adminRole: admins.data.data.map((row) => row.name),
  };
}

async function spaces() {
  const { spaces } = key;
  const all = await everyPage(spaces.getSpaces({ limit: 2 }, fresh));
  const shared = await everyPage(spaces.getSpaces({ limit: 1, type: "shared" }, fresh));
  const [space] = all.rows;
  const members = await everyPage(spaces.getSpaceAssignments(space.id, { limit: 3 }, fresh));
  const sharedAmongAll = all.rows.filter((row) => row.type === "shared");
  return {
    count: new Set(all.rows.map((row) => row.id)).size,
    pages: all.pages,
    someShared: shared.rows.length > 0,
    onlyShared: shared.rows.map((row) => row.id).join() === sharedAmongAll.map((row) => row.id).join(),
    sameSpace: (await spaces.getSpace(space.id, fresh)).data.name === space.name,
    someMembers: members.rows.length > 0,
    foreignMembers: members.rows.filter((row) => row.spaceId !== space.id).length,
  };
}

/** Everything else that can be listed: how many, and in how many pages. Each list ends in a way of its own. */
async function catalogue() {
  const { audits, automations, dataConnections, dataFiles, items, oauthClients, reloads, scheduling } = key;
  const every = {
    dataConnections: dataConnections.getDataConnections({ limit: 2 }, fresh),
    dataFiles: dataFiles.getDataFiles({ limit: 4, includeAllSpaces: true }, fresh),
    dataSets: items.getItems({ resourceType: "dataset", limit: 4 }, fresh),
    automations: key.workflows.automations.getAutomations({ limit: 1, listAll: true }, fresh),
    formerAutomations: automations.getAutomations({ limit: 1, listAll: true }, fresh),
    tasks: scheduling.tasks.getTasks({ limit: 3 }, fresh),
    reloads: reloads.getReloads({ limit: 30 }, fresh),
    reportTemplates: key.reportTemplates.getReportTemplates({ limit: 1 }, fresh),
    sharingTasks: key.sharingTasks.getSharingTasks({ limit: 1 }, fresh),
    oauthClients: oauthClients.getOAuthClients({ limit: 1 }, fresh),
    audits: audits.getAudits({ limit: 25 }, fresh),
  };
  const seen = {};
  for (const [name, first] of Object.entries(every)) {
    const { rows, pages } = await everyPage(first);
    seen[name] = [new Set(rows.map((row) => row.id ?? row.clientId)).size, rows.length, pages];
  }
  return seen;
}

async function reloading() {
  const { data: items } = await key.items.getItems({ resourceType: "app", limit: 1 }, fresh);
  const appId = items.data[0].resourceId;
  const queued = await key.reloads.queueReload({ appId });
  const ended = await until(
    (answer) => ["SUCCEEDED", "FAILED"].includes(answer.data.status),
    () => key.reloads.getReload(queued.data.id, fresh),
  );
  const ofApp = await everyPage(key.reloads.getReloads({ appId, limit: 1 }, fresh));
  return {
    queued: queued.status,
    ended: ended.data.status,
    app: ended.data.appId === appId,
    listed: ofApp.rows.some((reload) => reload.id === queued.data.id),
    onlyOfApp: ofApp.rows.every((reload) => reload.appId === appId),
  };
}

async function keys() {
  const { apiKeys } = key;
  const month = [{ op: "replace", path: "/max_api_key_expiry", value: "P30D" }];
  const week = { description: "conformance", expiry: "P7D" };
  const tooLong = (await refusal(() => apiKeys.createApiKey(week)))[0];
  const allowed = await apiKeys.patchApiKeysConfig(site.tenant, month);
  const made = await apiKeys.createApiKey(week);
  const description = [{ op: "replace", path: "/description", value: "renamed" }];
  const patched = await apiKeys.patchApiKey(made.data.id, description);
  const read = await apiKeys.getApiKey(made.data.id, fresh);
  const other = withKey(made.data.token);
  const used = (await other.users.getMyUser(fresh)).data.id;
  const removed = await apiKeys.deleteApiKey(made.data.id);
  return {
    tooLong,
    statuses: [allowed.status, made.status, patched.status, read.status, removed.status],
    description: read.data.description,
    days: Math.round((Date.parse(read.data.expiry) - Date.parse(read.data.created)) / 86_400_000),
    user: used,
    afterwards: (await refusal(() => other.users.getMyUser(fresh)))[0],
  };
}

async function clients() {
  const { oauthClients } = key;
  const body = {
    appType: "web",
    clientName: "conformance",
    allowedScopes: ["user_default", "admin.spaces:read"],
    allowedGrantTypes: ["client_credentials"],
    connectionConfig: { consentMethod: "trusted" },
  };
  const made = await oauthClients.createOAuthClient(body);
  const { clientId, clientSecret } = made.data;
  const secret = await oauthClients.createOAuthClientSecret(clientId);
  const signIns = [];
  for (const value of [clientSecret, secret.data.clientSecret]) {
    // The client keeps tokens by client and scope, so each secret is tried with a scope of its own.
    const scope = signIns.length ? "admin.spaces:read" : "user_default";
    const api = withClient({ clientId, clientSecret: value, scope });
    signIns.push((await refusal(() => api.spaces.getSpaces({ limit: 1 }, fresh)))[0]);
  }
  const taken = await oauthClients.deleteOAuthClientSecret(clientId, secret.data.hint);
  const read = await oauthClients.getOAuthClient(clientId, fresh);
  const removed = await oauthClients.deleteOAuthClient(clientId);
  return {
    statuses: [made.status, secret.status, taken.status, removed.status],
    signIns,
    secretsLeft: read.data.clientSecrets.length,
    afterwards: (await refusal(() => oauthClients.getOAuthClient(clientId, fresh)))[0],
  };
}

/** What is made, read, changed and removed in one way. */
async function life(make, read, change, remove) {
  const made = await make();
  const id = made.data.id;
  const before = (await read(id)).data;
  const changed = await change(id);
  const after = (await read(id)).data;
  const removed = await remove(id);
  const gone = (await refusal(() => read(id)))[0];
  return { statuses: [made.status, changed.status, removed.status, gone], names: [before.name, after.name] };
}

async function writes() {
  const { identityProviders, webIntegrations, webhooks, roles } = key;
  const provider = await identityProviders.createIdp({
    protocol: "jwtAuth",
    provider: "external",
    tenantIds: [site.tenant],
    description: "conformance",
    options: { issuer: "https://issuer.example.com", staticKeys: [{ kid: "key-1", pem: site.certificate }] },
  });
  const readProvider = () => identityProviders.getIdp(provider.data.id, fresh);
  const { issuer } = (await readProvider()).data.options;
  const rename = (name) => [{ op: "replace", path: "/name", value: name }];
  const removed = await identityProviders.deleteIdp(provider.data.id);
  return {
    identityProvider: [provider.status, issuer, removed.status, (await refusal(readProvider))[0]],
    webIntegration: await life(
      () => webIntegrations.createWebIntegration({ name: "hub", validOrigins: ["https://example.com"] }),
      (id) => webIntegrations.getWebIntegration(id, fresh),
      (id) => webIntegrations.patchWebIntegration(id, rename("portal")),
      (id) => webIntegrations.deleteWebIntegration(id),
    ),
    webhook: await life(
      () =>
        webhooks.createWebhook({
          name: "reloads",
          url: "https://example.com/hook",
          eventTypes: ["com.qlik.v1.app.reload.finished"],
          level: "tenant",
        }),
      (id) => webhooks.getWebhook(id, fresh),
      (id) => webhooks.patchWebhook(id, rename("reloaded")),
      (id) => webhooks.deleteWebhook(id),
    ),
    role: await life(
      () => roles.createRole({ name: "Readers", assignedScopes: ["spaces.shared:read"] }),
      (id) => roles.getRole(id, fresh),
      (id) => roles.patchRole(id, rename("Lookers")),
      (id) => roles.deleteRole(id),
    ),
  };
}

async function refusals() {
  const narrow = withClient({ scope: "apps:read" });
  const nobody = "000000000000000000000000";
  return {
    wrongKey: await refusal(() => withKey(`${site.apiKey.slice(0, -8)}AAAAAAAA`).users.getMyUser(fresh)),
    wrongSecret: await refusal(() => withClient({ clientSecret: "wrong", scope: "admin.apps" }).users.getMyUser(fresh)),
    unknownSpace: await refusal(() => key.spaces.getSpace(nobody, fresh)),
    unknownUser: await refusal(() => key.users.getUser(nobody, {}, fresh)),
    badLimit: await refusal(() => key.users.getUsers({ limit: 101 }, fresh)),
    badFilter: await refusal(() => key.users.getUsers({ filter: "email like 5" }, fresh)),
    narrowToken: await refusal(() => narrow.audits.getAudits({}, fresh)),
    // The test makes this list refuse once with 429, and the next one once with 401.
    tooOften: await refusal(() => key.spaces.getSpaces({ limit: 19 }, fresh)),
    tokenGone: await refusal(() => withClient({ scope: "admin.spaces:read" }).spaces.getSpaces({ limit: 17 }, fresh)),
  };
}

const seen = {};
for (const part of [signingIn, apps, people, spaces, catalogue, reloading, keys, clients, writes, refusals]) {
  seen[part.name] = await part();
}
console.log(JSON.stringify(seen, null, 2));
