//! Which right is named, for which caller.

use super::*;
use crate::client::{Key, list};

fn caller(roles: &[&str], scopes: Option<&str>) -> Caller {
    Caller {
        name: "Kit".to_owned(),
        roles: Some(roles.iter().map(|role| (*role).to_owned()).collect())
            .filter(|roles: &Vec<_>| !roles.is_empty()),
        scopes: scopes.map(|scopes| scopes.split(' ').map(str::to_owned).collect()),
        ..Caller::default()
    }
}

/// The bot user of the documents: Analytics Admin, a custom role for webhooks, four scopes.
fn narrow() -> Caller {
    caller(
        &["AnalyticsAdmin", "Webhooks"],
        Some("admin.apps:read admin.spaces:read apps.report:export webhooks"),
    )
}

fn key(roles: &[&str], permissions: &[&str]) -> Caller {
    Caller {
        key: Some(Key::default()),
        permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
        ..caller(roles, None)
    }
}

fn plans(caller: &Caller) -> String {
    let kinds =
        ["app", "space", "reload", "task", "report", "user", "role", "automation", "data_file", "dataset"];
    kinds.map(|kind| format!("{kind}: {:?}\n", caller.plan(list(kind).unwrap()))).concat()
}

fn explained(caller: &Caller, kind: &str) -> String {
    let refusal = Refusal {
        status: 403,
        code: "HTTP-403".to_owned(),
        text: "Forbidden".to_owned(),
        trace: Some("00ab".to_owned()),
        retry_after: None,
        in_between: None,
    };
    caller.explain(list(kind).unwrap(), &refusal).with_remedy()
}

#[test]
fn scopes_cover_their_children_and_their_narrower_forms() {
    let has = |scopes: &str, wanted: &str| {
        granted(&scopes.split(' ').map(str::to_owned).collect::<Vec<_>>(), wanted)
    };
    for (scopes, wanted) in [
        ("admin.apps:read", "admin.apps:read"),
        ("admin.apps", "admin.apps:read"),
        ("apps", "apps:read"),
        ("admin.apps:read", "apps:read"),
        ("admin.apps", "apps:read"),
        ("admin.spaces:read", "spaces.shared:read"),
        ("admin.users:read", "users:read"),
        ("user_default", "dataset"),
        ("user_default", "automations:read"),
        ("x admin_classic", "admin.report-tasks"),
    ] {
        assert!(has(scopes, wanted), "{scopes} covers {wanted}");
    }
    for (scopes, wanted) in [
        ("apps", "admin.apps:read"),
        ("apps:read", "apps"),
        ("apps:export", "apps:read"),
        ("admin.apps:export", "apps:read"),
        ("user_default", "admin.apps:read"),
        ("user_default", "admin_classic"),
        ("admin.apps:read", "admin.spaces:read"),
        ("admin.spaces", "apps:read"),
    ] {
        assert!(!has(scopes, wanted), "{scopes} does not cover {wanted}");
    }
}

#[test]
fn the_documents_rights_read_apps_and_spaces_and_name_the_rest() {
    insta::assert_snapshot!(plans(&narrow()), @r#"
    app: All
    space: All
    reload: Skip("only a Tenant Admin may list the reloads of a whole tenant, and the bot user \"Kit\" is Analytics Admin, Webhooks")
    task: Part("the documents name no narrower scope for this list than \"user_default\", and it is missing on the OAuth client")
    report: Skip("scope \"admin.report-tasks\" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes")
    user: Skip("scope \"users:read\" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes")
    role: Part("only a Tenant Admin may list the roles of a whole tenant, and the bot user \"Kit\" is Analytics Admin, Webhooks")
    automation: Skip("scope \"admin.automations:read\" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes")
    data_file: Part("the documents name no narrower scope for this list than \"user_default\", and it is missing on the OAuth client")
    dataset: Skip("scope \"dataset\" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes")
    "#);
}

#[test]
fn a_tenant_admin_of_whom_nothing_more_is_known_asks_for_everything() {
    for caller in
        [caller(&["TenantAdmin"], None), caller(&[], None), caller(&["Tenant Admin"], Some("admin_classic"))]
    {
        assert!(plans(&caller).lines().all(|line| line.ends_with(": All")), "{}", plans(&caller));
    }
}

#[test]
fn a_key_of_an_ordinary_user_reads_what_is_the_users() {
    insta::assert_snapshot!(plans(&key(&["PrivateAnalyticsContentCreator"], &["automations"])), @r#"
    app: Part("role \"Analytics Admin\" is missing on the user \"Kit\"")
    space: Part("role \"Analytics Admin\" is missing on the user \"Kit\"")
    reload: Skip("only a Tenant Admin may list the reloads of a whole tenant, and the user \"Kit\" is Private Analytics Content Creator")
    task: All
    report: Skip("only a Tenant Admin may list the report tasks of a whole tenant, and the user \"Kit\" is Private Analytics Content Creator")
    user: All
    role: Part("only a Tenant Admin may list the roles of a whole tenant, and the user \"Kit\" is Private Analytics Content Creator")
    automation: Part("role \"Analytics Admin\" is missing on the user \"Kit\"")
    data_file: All
    dataset: All
    "#);
}

#[test]
fn a_refusal_names_the_narrowest_right_that_is_missing() {
    let cases = [
        ("app", caller(&["TenantAdmin"], Some("apps:read webhooks"))),
        ("app", caller(&["Steward"], Some("admin.apps:read"))),
        ("app", narrow()),
        ("app", caller(&["AnalyticsAdmin"], None)),
        ("space", caller(&["AnalyticsAdmin"], Some("admin.apps:read"))),
        ("app", key(&["Steward"], &[])),
        ("user", narrow()),
        ("user", key(&["Steward"], &["apps"])),
        ("role", narrow()),
        ("report", caller(&["AnalyticsAdmin"], Some("admin.report-tasks"))),
        ("reload", caller(&["TenantAdmin"], Some("admin.apps:read"))),
        ("automation", caller(&["TenantAdmin"], Some("automations"))),
        ("data_file", narrow()),
    ];
    let lines = cases.map(|(kind, caller)| format!("{kind}: {}\n", explained(&caller, kind))).concat();
    insta::assert_snapshot!(lines, @r#"
    app: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "admin.apps:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    app: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): role "Analytics Admin" is missing on the bot user "Kit"; add it in the tenant: Administration activity center, Manage users, All users, "Kit", roles
    app: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the known scopes and roles cover it, so the cause lies elsewhere; check whether the bot user has a licence, is a member of the spaces concerned, is kept out by an IP allow list, and whether the client's consent method is Trusted
    app: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the tenant does not tell the scopes of its tokens; probably scope "admin.apps:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    space: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "admin.spaces:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    app: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): role "Analytics Admin" is missing on the user "Kit"; add it in the tenant: Administration activity center, Manage users, All users, "Kit", roles
    user: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "users:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    user: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): permission "users:read" is missing: no role of the user "Kit" gives it; add it in the tenant to User Default or to a custom role of the user
    role: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): only a Tenant Admin may list the roles of a whole tenant, and the bot user "Kit" is Analytics Admin, Webhooks
    report: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): only a Tenant Admin may list the report tasks of a whole tenant, and the bot user "Kit" is Analytics Admin
    reload: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the scopes of the OAuth client are probably too narrow; nobody documents a scope for this list, but "admin_classic" covers it, if it is worth that much
    automation: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "admin.automations:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    data_file: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the documents name no narrower scope for this list than "user_default", and it is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    "#);
}

#[test]
fn tenant_admin_is_never_advised() {
    let callers = [
        narrow(),
        caller(&["Steward"], Some("webhooks")),
        caller(&["Steward"], None),
        key(&["Steward"], &["a"]),
    ];
    for caller in &callers {
        for kind in ["app", "space", "task", "user", "automation", "data_file", "dataset", "report_template"]
        {
            let text = explained(caller, kind);
            assert!(!text.contains("Tenant Admin"), "{text}");
        }
    }
}
