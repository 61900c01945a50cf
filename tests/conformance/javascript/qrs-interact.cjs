// qrs-interact, as its own README shows: `Get`, `Post`, `Put` and `Delete` of paths, with the exported certificate or with
// a token through a virtual proxy. Prints as JSON what it saw.

const { readFileSync } = require("node:fs");
const QrsInteract = require("qrs-interact");

const site = JSON.parse(readFileSync(process.argv[2], "utf8"));

const connect = (more) =>
  new QrsInteract({
    hostname: "localhost",
    portNumber: site.repositoryPort,
    certificates: { certFile: site.certificate, keyFile: site.key },
    repoAccount: "UserDirectory=INTERNAL;UserId=sa_api",
    ...more,
  });
const qrs = connect({});

/** What a request came to: its status and its body, or the client's message. */
async function outcome(request) {
  try {
    return await request();
  } catch (error) {
    return { message: String(error.message ?? error) };
  }
}

/** What a request was refused with. */
const refusal = async (request) => (await outcome(request)).message ?? "not refused";

const read = async (path) => (await qrs.Get(path)).body;

async function signingIn() {
  const about = await qrs.Get("about");
  const pfx = connect({ certificates: { pfxFile: site.pfx, passphrase: site.pfxPassword } });
  const legacy = () => connect({ certificates: { pfxFile: site.legacyPfx, passphrase: site.pfxPassword } });
  const reader = connect({ repoAccount: `UserDirectory=${site.reader.directory};UserId=${site.reader.id}` });
  return {
    status: about.statusCode,
    schema: about.body.schemaPath,
    withPfx: (await pfx.Get("about")).body.buildVersion === about.body.buildVersion,
    legacyPfx: await refusal(async () => legacy().Get("about")),
    seenByReader: (await reader.Get("app/count")).body.value,
    unknownUser: await refusal(() => connect({ repoAccount: "UserDirectory=NO;UserId=body" }).Get("about")),
  };
}

async function lists() {
  const apps = await read("app/full?orderby=name asc");
  const first = apps[0];
  const one = await read(`app/${first.id}`);
  const page = (skip) =>
    qrs.Post(
      `app/table?skip=${skip}&take=20&sortcolumn=name&orderascending=true`,
      {
        type: "App",
        columns: ["id", "name", "stream.name"].map((definition) => ({
          name: definition,
          columnType: "Property",
          definition,
        })),
      },
      "json",
    );
  const rows = [];
  for (;;) {
    const answer = await page(rows.length);
    rows.push(...answer.body.rows);
    if (answer.body.rows.length < 20) break;
  }
  const published = await read("app?filter=published eq true");
  const notPublished = await read("app/count?filter=published eq false");
  return {
    count: (await read("app/count")).value,
    apps: apps.map((app) => app.id).sort(),
    sorted: apps.every((app, at) => at === 0 || apps[at - 1].name.localeCompare(app.name, "en", { sensitivity: "base" }) <= 0),
    sameApp: one.name === first.name && one.owner.userId === first.owner.userId,
    byName: (await read(`app?filter=name eq '${first.name}'`)).map((app) => app.id === first.id),
    table: rows.map(([id]) => id).join() === apps.map((app) => app.id).join(),
    publishedOrNot: published.length + notPublished.value,
    streams: (await read("stream/full")).length,
    admins: (await read("user/full?filter=roles eq 'RootAdmin' and blacklisted eq false")).map((user) => user.userId),
    nowhere: (await read("stream/full?filter=name eq 'nowhere'")).length,
  };
}

/** Makes, reads, changes, spoils with a stale date, and removes. */
async function life(entity, body, change) {
  const made = await qrs.Post(entity, body, "json");
  const path = `${entity}/${made.body.id}`;
  const [member] = Object.keys(change);
  const before = await read(path);
  const changed = await qrs.Put(path, { ...before, ...change });
  const stale = await refusal(() => qrs.Put(path, { ...before, ...change, modifiedDate: "2001-01-01T00:00:00.000Z" }));
  const removed = await qrs.Delete(path);
  return {
    statuses: [made.statusCode, changed.statusCode, removed.statusCode],
    values: [before[member], changed.body[member]],
    stale,
    gone: await refusal(() => qrs.Get(path)),
  };
}

async function writes() {
  const property = { name: "Department", valueType: "Text", choiceValues: ["Sales"], objectTypes: ["App"] };
  const seen = {
    tag: await life("tag", { name: "first" }, { name: "second" }),
    stream: await life("stream", { name: "First" }, { name: "Second" }),
    property: await life("custompropertydefinition", property, { choiceValues: ["Sales", "Finance"] }),
    twice: null,
  };
  const made = await qrs.Post("tag", { name: "twin" }, "json");
  seen.twice = await refusal(() => qrs.Post("tag", { name: "twin" }, "json"));
  await qrs.Delete(`tag/${made.body.id}`);
  return seen;
}

/** A virtual proxy for tokens: made, linked, used, unlinked, removed. */
async function virtualProxy() {
  const made = await qrs.Post(
    "virtualproxyconfig",
    {
      prefix: "conformance",
      description: "for a test",
      sessionCookieHeaderName: "X-Qlik-Session-conformance",
      sessionInactivityTimeout: 30,
      defaultVirtualProxy: false,
      authenticationMethod: 4,
      jwtPublicKeyCertificate: site.jwt.certificate,
      jwtAttributeUserId: "userId",
      jwtAttributeUserDirectory: "userDirectory",
      loadBalancingServerNodes: [{ id: (await read("servernodeconfiguration/local")).id }],
      websocketCrossOriginWhiteList: [],
      additionalResponseHeaders: "",
      tags: [],
      customProperties: [],
    },
    "json",
  );
  const id = made.body.id;
  const link = async (proxies) => {
    const [service] = await read("proxyservice/full");
    const settings = { ...service.settings, virtualProxies: proxies(service.settings.virtualProxies) };
    return qrs.Put(`proxyservice/${service.id}`, { ...service, settings });
  };
  const linked = await link((proxies) => [...proxies, { id }]);
  const token = connect({
    portNumber: site.proxyPort,
    virtualProxyPrefix: "conformance",
    certificates: {},
    headers: { Authorization: `Bearer ${site.jwt.token}`, "Content-Type": "application/json" },
  });
  const end = Date.now() + 30_000;
  let through = await outcome(() => token.Get("app/count"));
  while (through.message?.includes("request error") && Date.now() < end) {
    through = await outcome(() => token.Get("app/count"));
  }
  const inUse = await refusal(() => qrs.Delete(`virtualproxyconfig/${id}`));
  const unlinked = await link((proxies) => proxies.filter((proxy) => proxy.id !== id));
  const removed = await qrs.Delete(`virtualproxyconfig/${id}`);
  return {
    statuses: [made.statusCode, linked.statusCode, unlinked.statusCode, removed.statusCode],
    prefixes: linked.body.settings.virtualProxies.map((proxy) => proxy.prefix),
    through: through.body?.value ?? through.message,
    inUse,
    left: (await read("virtualproxyconfig")).map((proxy) => proxy.prefix),
  };
}

async function refusals() {
  const nobody = "00000000-0000-4000-8000-000000000000";
  return {
    unknownId: await refusal(() => qrs.Get(`app/${nobody}`)),
    badId: await refusal(() => qrs.Get("app/12345")),
    unknownEntity: await refusal(() => qrs.Get("nothing/full")),
    badFilter: await refusal(() => qrs.Get("app?filter=name like 'x'")),
    doubledQuote: await refusal(() => qrs.Get("app?filter=name eq 'Q1''25'")),
  };
}

(async () => {
  const seen = {};
  for (const part of [signingIn, lists, writes, virtualProxy, refusals]) seen[part.name] = await part();
  console.log(JSON.stringify(seen, null, 2));
})();
