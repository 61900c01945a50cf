"""qsAPI, as its README shows: `QRS` and `QPS` with the exported certificate. Prints as JSON what it saw."""

import json
import sys

import qsAPI

with open(sys.argv[1], encoding="utf-8") as file:
    SITE = json.load(file)


def connect(api, directory="INTERNAL", user="sa_api", **more):
    api = api(
        proxy=f"localhost:{SITE['repositoryPort']}",
        certificate=SITE["certificate"],
        user=(directory, user),
        verbosity="ERROR",
        **more,
    )
    # Otherwise a proxy of the environment is asked even for this machine.
    api.driver.session.trust_env = False
    return api


def answer(response):
    """Status, and the text of a refusal."""
    return [response.status_code] + ([response.text] if not response.ok else [])


def signing_in(qrs):
    about = qrs.getAbout()
    reader = connect(qsAPI.QRS, SITE["reader"]["directory"], SITE["reader"]["id"])
    try:
        connect(qsAPI.QRS, "NO", "body")
        unknown = "let in"
    except Exception as error:  # pylint: disable=broad-except
        unknown = type(error).__name__
    return {
        "version": str(qrs.VERSION_SERVER) == about["buildVersion"],
        "schema": about["schemaPath"],
        "seenByReader": reader.count("app"),
        "unknownUser": unknown,
        "enums": any("VirtualProxyConfig.authenticationMethod" in one["usages"] for one in qrs.getEnum().values()),
        "description": "GET /qrs/app/full" in qrs.getDescription(extended=False),
    }


def lists(qrs):
    apps = qrs.AppGet()
    first = apps[0]
    by_name = f"name eq '{first['name']}'"
    published = qrs.count("app", "published eq true")
    return {
        "count": qrs.count("app"),
        "apps": sorted(app["id"] for app in apps),
        "sameApp": qrs.AppGet(first["id"]) == first,
        "byName": [app["id"] == first["id"] for app in qrs.AppGet(pFilter=by_name)],
        "attributes": qrs.AppDictAttributes(pFilter=by_name, attr=["id", "published"]) == {
            first["name"]: {"id": first["id"], "published": first["published"]}
        },
        "publishedOrNot": published + qrs.count("app", "published eq false"),
        "streams": len(qrs.StreamGet()),
        "streamNames": len(qrs.StreamDictAttributes()),
        "admins": [user["userId"] for user in qrs.UserGet(pFilter="roles eq 'RootAdmin'")],
        "reloadTasks": len(qrs.ReloadTaskGet()),
        "rules": len(qrs.SystemRulesGet()),
        "properties": len(qrs.PropertiesGet()),
        "tags": len(qrs.TagsDictAttributes()),
        "appObjects": qrs.AppObjectCount()["value"],
        "licence": sorted(qrs.LicenseUsageSummary()),
    }


def writes(qrs):
    tag = qrs.driver.post("/qrs/tag", data={"name": "conformance"}).json()
    property_ = qrs.driver.post(
        "/qrs/custompropertydefinition",
        data={"name": "Department", "valueType": "Text", "choiceValues": ["Sales"], "objectTypes": ["Stream"]},
    ).json()
    stream = qrs.StreamCreate(
        "First",
        pProperties=[{"value": "Sales", "definition": {"id": property_["id"]}}],
        pTags=[{"id": tag["id"]}],
    )
    before = qrs.StreamGet(stream["id"])
    renamed = qrs.StreamUpdate(stream["id"], {**before, "name": "Second"})
    stale = qrs.StreamUpdate(stream["id"], {**before, "name": "Third", "modifiedDate": "2001-01-01T00:00:00.000Z"})
    after = qrs.StreamGet(stream["id"])
    return {
        "stream": [before["name"], renamed.json()["name"], after["name"]],
        "tags": [one["name"] for one in after["tags"]],
        "properties": [[one["definition"]["name"], one["value"]] for one in after["customProperties"]],
        "stale": answer(stale),
        "removed": [
            qrs.StreamDelete(stream["id"]).status_code,
            qrs.driver.delete(f"/qrs/custompropertydefinition/{property_['id']}").status_code,
            qrs.driver.delete(f"/qrs/tag/{tag['id']}").status_code,
        ],
        "again": answer(qrs.StreamDelete(stream["id"])),
    }


def running(qrs):
    """Tasks, started and stopped in every way that there is."""
    [task] = qrs.TaskGet(pFilter=f"id eq {SITE['task']}")
    others = [one["id"] for one in qrs.ReloadTaskGet(pFilter="name so 'task'")][1:3]

    def state():
        return qrs.ReloadTaskGet(task["id"])["operational"]["lastExecutionResult"]["status"]

    started = [qrs.TaskStart(task["id"]).status_code, state()]
    again = qrs.TaskStart(task["id"]).status_code
    stopped = [qrs.TaskStop(task["id"]).status_code, state()]
    execution = qrs.TaskStartByNameSynchronous(task["name"]).json()["value"]
    found = qrs.driver.get("/qrs/executionresult/full", {"filter": f"executionID eq {execution}"}).json()
    qrs.TaskStopMany(others)
    many = [qrs.TaskStartMany(others).status_code, qrs.TaskStopMany(others).status_code]
    app = qrs.AppGet()[0]
    reloaded = qrs.AppReload(app["id"]).status_code
    made = qrs.ReloadTaskGet(pFilter=f"app.id eq {app['id']} and name sw 'Manually triggered'")
    return {
        "ping": qrs.ping().json()["value"],
        "started": started,
        "again": again,
        "stopped": stopped,
        "byName": qrs.TaskStop(task["id"]).status_code,
        "history": [[one["taskID"] == task["id"], one["status"]] for one in found],
        "unknown": answer(qrs.TaskStartByName("nobody")),
        "many": many,
        "appReloaded": [reloaded, len(made)],
    }


def sessions(qps):
    """Sessions of the proxy, made and ended from behind."""
    user = {"UserDirectory": "EXAMPLE", "UserId": "ada", "Attributes": []}
    made = [qps.driver.post("/qps/session", data={**user, "SessionId": name}) for name in ("one", "two")]
    found = qps.GetUser("EXAMPLE", "ada").json()
    session = qps.GetSession("one").json()
    ended = qps.driver.delete("/qps/session/one")
    rest = qps.DeleteUser("EXAMPLE", "ada").json()
    ticket = qps.driver.post("/qps/ticket", data=user)
    return {
        "made": [one.status_code for one in made],
        "found": sorted(one["SessionId"] for one in found),
        "session": [session["UserDirectory"], session["UserId"]],
        "ended": [ended.json()["Session"]["SessionId"], ended.json()["LastSessionForUser"]],
        "rest": [one["SessionId"] for one in rest],
        "gone": qps.GetSession("two").status_code,
        "ticket": [ticket.status_code, bool(ticket.json()["Ticket"])],
    }


def refusals(qrs):
    nobody = "00000000-0000-4000-8000-000000000000"
    # The methods read every answer as JSON, so the driver beneath is what shows a refusal.
    get = qrs.driver.get
    return {
        "unknownId": answer(get(f"/qrs/app/{nobody}")),
        "badId": answer(get("/qrs/app/12345")),
        "badFilter": answer(get("/qrs/app", {"filter": "name like 'x'"})),
        "unknownPath": answer(get("/qrs/nothing/full")),
    }


def main():
    qrs = connect(qsAPI.QRS)
    seen = {
        "signingIn": signing_in(qrs),
        "lists": lists(qrs),
        "writes": writes(qrs),
        "running": running(qrs),
        "sessions": sessions(connect(qsAPI.QPS)),
        "refusals": refusals(qrs),
    }
    print(json.dumps(seen, indent=2))


main()
