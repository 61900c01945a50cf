"""Qlik's own Python client, used as its documentation shows: a key, an OAuth client, lists by its `pagination`, what one
makes and removes, and what it raises. Prints as JSON what it saw."""

import json
import sys
import time

from qlik_sdk import (
    ApiKeyBody,
    AuthType,
    Config,
    Filter,
    Qlik,
    ReloadRequest,
    WebhookDef,
    WebhookPatch,
    WebIntegrationPostSchema,
)

with open(sys.argv[1], encoding="utf-8") as file:
    SITE = json.load(file)


def with_key(key):
    return Qlik(Config(host=SITE["host"], auth_type=AuthType.APIKey, api_key=key))


def with_client(secret, scope):
    client = SITE["client"]["clientId"]
    return Qlik(
        Config(
            host=SITE["host"],
            auth_type=AuthType.OAuth2,
            client_id=client,
            client_secret=secret,
            scope=scope,
        )
    )


def refusal(call):
    """What the client raises."""
    try:
        call()
    except Exception as error:  # pylint: disable=broad-except
        response = getattr(error, "response", None)
        return [type(error).__name__, str(error) if response is None else response.status_code]
    return ["not refused"]


# What the client would send beside a filter unless told not to, and what the service does not allow there.
ALONE = {"sortBy": None, "sortOrder": None, "status": None}


def signing_in(qlik):
    me = qlik.users.get_me()
    client = with_client(SITE["client"]["clientSecret"], ["admin.spaces:read"])
    token = client.auth.authorize()
    bot = client.users.get_me()
    client.auth.deauthorize()
    client.config.api_key = client.auth.config.api_key = token["access_token"]
    return {
        "me": [me.id, me.email],
        "tenant": qlik.tenants.get_me().id,
        "tokenType": token["token_type"],
        "scope": sorted(token["scope"].split()),
        "bot": [bot.id, bot.name],
        "revoked": refusal(client.users.get_me),
    }


def lists(qlik):
    apps = [row.resourceId for row in qlik.items.get_items(resourceType="app", limit=7).pagination]
    users = [row.name for row in qlik.users.get_users(limit=3, sort="-name", **ALONE).pagination]
    spaces = [row.id for row in qlik.spaces.get_spaces(limit=2).pagination]
    shared = {row.type for row in qlik.spaces.get_spaces(type="shared").pagination}
    person = qlik.users.get(SITE["person"])
    by_email = f'email eq "{person.email}"'
    app = qlik.apps.get(apps[0])
    return {
        "apps": sorted(apps),
        "sameApp": app.attributes.id == apps[0],
        "users": len(users),
        "usersSorted": users == sorted(users, reverse=True),
        "counted": qlik.users.count().total,
        "byEmail": [row.id for row in qlik.users.get_users(filter=by_email, **ALONE)],
        "filtered": [row.id for row in qlik.users.filter(data=Filter(filter=by_email))],
        "spaces": len(set(spaces)),
        "typesOfShared": sorted(shared),
        "groups": len(list(qlik.groups.get_groups(limit=2).pagination)),
        "roles": [row.name for row in qlik.roles.get_roles(filter='name eq "TenantAdmin"')],
        # The client writes booleans as Python does.
        "rawItems": len(
            qlik.rest(path="/items", params={"resourceType": "app", "noActions": False, "limit": 100}).json()["data"]
        ),
    }


def reloading(qlik, app):
    queued = qlik.reloads.create(ReloadRequest(appId=app))
    end = time.monotonic() + 30
    reload = qlik.reloads.get(queued.id)
    while reload.status not in ("SUCCEEDED", "FAILED") and time.monotonic() < end:
        time.sleep(0.05)
        reload = qlik.reloads.get(queued.id)
    listed = qlik.reloads.get_reloads(appId=app, limit=2).pagination
    return {"status": reload.status, "app": reload.appId, "listed": queued.id in [row.id for row in listed]}


def writes(qlik):
    hub = qlik.web_integrations.create(
        WebIntegrationPostSchema(name="hub", validOrigins=["https://example.com"])
    )
    listed = qlik.web_integrations.get_web_integrations(limit=1).pagination
    found = [row for row in listed if row.id == hub.id]
    found[0].patch([{"op": "replace", "path": "/name", "value": "portal"}])
    renamed = qlik.web_integrations.get(hub.id).name
    found[0].delete()

    hook = qlik.webhooks.create(
        WebhookDef(
            name="reloads",
            url="https://example.com/hook",
            eventTypes=["com.qlik.v1.app.reload.finished"],
            level="tenant",
        )
    )
    hook.patch([WebhookPatch(op="replace", path="/name", value="reloaded")])
    reloaded = qlik.webhooks.get(hook.id).name
    hook.delete()

    key = qlik.api_keys.create(ApiKeyBody(description="conformance", expiry="PT1H"))
    user = with_key(key.token).users.get_me().id
    key_object = qlik.api_keys.get(key.id)
    key_object.delete()
    return {
        "webIntegration": [hub.name, renamed, refusal(lambda: qlik.web_integrations.get(hub.id))],
        "webhook": [hook.name, reloaded, refusal(lambda: qlik.webhooks.get(hook.id))],
        "key": [key.description, user, refusal(with_key(key.token).users.get_me)],
    }


def refusals(qlik):
    nobody = "000000000000000000000000"
    narrow = with_client(SITE["client"]["clientSecret"], ["apps:read"])
    narrow.auth.authorize()
    return {
        "wrongKey": refusal(with_key("eyJhbGciOiJFUzM4NCJ9.e30.AAAA").users.get_me),
        "wrongSecret": refusal(with_client("wrong", []).auth.authorize),
        "unknownSpace": refusal(lambda: qlik.spaces.get(nobody)),
        "badFilter": refusal(lambda: qlik.users.get_users(filter="email like 5", **ALONE)),
        "narrowToken": refusal(narrow.audits.get_audits),
    }


def main():
    qlik = with_key(SITE["apiKey"])
    seen = {"signingIn": signing_in(qlik), "lists": lists(qlik)}
    seen["reloading"] = reloading(qlik, seen["lists"]["apps"][0])
    seen["writes"] = writes(qlik)
    seen["refusals"] = refusals(qlik)
    print(json.dumps(seen, indent=2))


main()
