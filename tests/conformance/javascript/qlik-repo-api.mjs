// qlik-repo-api, as its README shows: objects for everything that a site has, with the exported certificate and full
// verification of the server's. Prints as JSON what it saw.

import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { QlikRepoApi } from "qlik-repo-api";

const site = JSON.parse(readFileSync(process.argv[2], "utf8"));
const file = (name) => readFileSync(site[name]);

const agent = (more) => new Agent({ cert: file("certificate"), key: file("key"), ca: file("root"), ...more });
const connect = (user, httpsAgent = agent({})) =>
  new QlikRepoApi.client({
    host: "localhost",
    port: site.repositoryPort,
    httpsAgent,
    authentication: { user_dir: user.directory, user_name: user.id },
  });
const qlik = connect({ directory: "INTERNAL", id: "sa_api" });

/** What a call was refused with. */
async function refusal(call) {
  try {
    await call();
    return "not refused";
  } catch (error) {
    return error.message;
  }
}

const ids = (objects) => objects.map((object) => object.details.id);
const names = (objects) => objects.map((object) => object.details.name);

async function signingIn() {
  const reader = connect(site.reader);
  return {
    schema: (await qlik.about.get()).schemaPath,
    enums: Object.values(await qlik.about.enums()).some((one) => one.usages.includes("VirtualProxyConfig.authenticationMethod")),
    seenByReader: (await reader.apps.getAll()).length,
    readerMayNot: await refusal(() => reader.tags.create({ name: "mine" })),
    noCertificate: (await refusal(() => connect(site.reader, agent({ cert: undefined, key: undefined })).about.get())) !== "not refused",
  };
}

async function lists() {
  const apps = await qlik.apps.getAll();
  const [first] = apps;
  const same = await qlik.apps.get({ id: first.details.id });
  const filter = `name eq '${first.details.name}'`;
  const users = await qlik.users.getFilter({ filter: "roles eq 'RootAdmin'" });
  const columns = ["id", "name"].map((definition) => ({ name: definition, columnType: "Property", definition }));
  const page = async (skip) =>
    (await qlik.table.create({ type: "app", columns, skip, take: 20, sortColumn: "name", orderAscending: true })).data.rows;
  const selected = await qlik.selections.create({ area: "app", filter });
  const tasks = await qlik.tasks.getAll();
  return {
    apps: ids(apps).sort(),
    same: [same.details.name === first.details.name, same.details.owner.id === first.details.owner.id],
    filtered: ids(await qlik.apps.getFilter({ filter })).map((id) => id === first.details.id),
    admins: users.map((user) => user.details.userId),
    table: [...(await page(0)), ...(await page(20))].map((row) => row.id).sort(),
    selected: (await selected.data({ path: "app/full" })).map((app) => app.id === first.details.id),
    selectionRemoved: await selected.remove(),
    streams: (await qlik.streams.getAll()).length,
    tasks: tasks.length,
    reloadTasks: (await qlik.reloadTasks.getAll()).length,
    tags: (await qlik.tags.getAll()).length,
    dataConnections: (await qlik.dataConnections.getAll()).length,
    extensions: (await qlik.extensions.getAll()).length,
    properties: (await qlik.customProperties.getAll()).length,
    rules: (await qlik.systemRules.getAll()).length,
    nodes: (await qlik.nodes.getAll()).map((node) => node.details.isCentral),
    nodesCounted: await qlik.nodes.count(),
    engines: (await qlik.engines.getAll()).length,
    services: (await qlik.serviceStatus.getAll()).every((service) => service.serviceState === 2),
    proxies: (await qlik.proxies.getAll()).map((proxy) => proxy.details.settings.virtualProxies.map((one) => one.prefix)),
  };
}

async function running() {
  const [task] = await qlik.reloadTasks.getFilter({ filter: `id eq ${site.task}` });
  const started = await task.start();
  const again = await refusal(() => task.start());
  const [running] = await qlik.reloadTasks.getFilter({ filter: `id eq ${site.task}` });
  const result = await running.waitExecution({});
  return { started, again, result: result.status };
}

async function writes() {
  const tag = await qlik.tags.create({ name: "first" });
  const twin = await qlik.tags.create({ name: "first" });
  await tag.update({ name: "second" });
  const many = await qlik.tags.createMany({ names: ["third", "fourth"] });
  const property = await qlik.customProperties.create({ name: "Department", choiceValues: ["Sales"], objectTypes: ["App", "Stream"] });
  await property.update({ choiceValues: ["Sales", "Finance"] });
  const stream = await qlik.streams.create({ name: "Board", tags: ["second"], customProperties: ["Department=Finance"] });
  const before = structuredClone((await qlik.streams.get({ id: stream.details.id })).details);
  await stream.update({ name: "Directors", tags: ["third", "fourth"] });
  const after = (await qlik.streams.get({ id: stream.details.id })).details;
  const user = await qlik.users.create({ userId: "ada", userDirectory: "LAB", roles: ["AuditAdmin"] });
  const found = await qlik.users.getFilter({ filter: "userDirectory eq 'lab' and userId eq 'ADA'" });
  return {
    twin: twin.details.id === tag.details.id,
    tags: names(await qlik.tags.getFilter({ filter: "name eq 'second' or name eq 'third' or name eq 'fourth'" })).sort(),
    stream: [before, after].map((one) => [one.name, one.tags.map((tag) => tag.name).sort()]),
    property: before.customProperties.map((one) => [one.definition.name, one.value]),
    choices: (await qlik.customProperties.get({ id: property.details.id })).details.choiceValues,
    user: found.map((one) => [one.details.name, one.details.roles]),
    removed: [
      await stream.remove(),
      await user.remove(),
      await tag.remove(),
      ...(await Promise.all(many.map((one) => one.remove()))),
      await property.remove(),
    ],
    gone: await refusal(() => qlik.streams.get({ id: stream.details.id })),
  };
}

async function virtualProxy() {
  const [node] = await qlik.nodes.getAll();
  const made = await qlik.virtualProxies.create({
    prefix: "conformance",
    description: "for a test",
    sessionCookieHeaderName: "X-Qlik-Session-conformance",
    sessionInactivityTimeout: 30,
    authenticationMethod: "JWT",
    jwtPublicKeyCertificate: site.jwt.certificate,
    jwtAttributeUserId: "userId",
    jwtAttributeUserDirectory: "userDirectory",
    loadBalancingServerNodes: [node.details.hostName],
    websocketCrossOriginWhiteList: ["app.example.com"],
  });
  await made.update({ description: "changed", websocketCrossOriginWhiteList: ["other.example.com"] });
  const read = await qlik.virtualProxies.get({ id: made.details.id });
  const twice = await refusal(() =>
    qlik.virtualProxies.create({ prefix: "conformance", description: "twin", sessionCookieHeaderName: "X-Twin" }),
  );
  const seen = {
    method: read.details.authenticationMethod,
    description: read.details.description,
    allowed: read.details.websocketCrossOriginWhiteList,
    nodes: read.details.loadBalancingServerNodes.map((one) => one.id === node.details.id),
    twice,
    removed: await made.remove(),
  };
  const left = await qlik.virtualProxies.getAll();
  return { ...seen, left: left.map((one) => one.details.prefix) };
}

async function refusals() {
  const nobody = "00000000-0000-4000-8000-000000000000";
  return {
    unknownId: await refusal(() => qlik.apps.get({ id: nobody })),
    badFilter: await refusal(() => qlik.apps.getFilter({ filter: "name like 'x'" })),
    unknownUser: await refusal(() => connect({ directory: "NO", id: "body" }).about.get()),
  };
}

const seen = {};
for (const part of [signingIn, lists, running, writes, virtualProxy, refusals]) seen[part.name] = await part();
console.log(JSON.stringify(seen, null, 2));
