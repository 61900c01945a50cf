//! The site itself, which is kept and not computed because clients change it: nodes, services, virtual proxies.

use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::data::{Catalog, FIRST};
use crate::qlik_onprem::entities::Kind;

/// Every row of the site, with its kind.
pub(crate) fn site(catalog: &Catalog, host: &str, listen_port: u16, rest_port: u16) -> Vec<(Kind, Row)> {
    let head = |kind, index| head(catalog, kind, index);
    let mut rows = Vec::new();
    for (index, name, central) in [(0, "Central", true), (1, "Rim", false)] {
        let host = if central { host.to_owned() } else { format!("rim.{host}") };
        rows.push((Kind::ServerNode, node(head(Kind::ServerNode, index), name, host, central)));
        let reference = node_reference(catalog, index, name);
        let service = |kind| head(kind, index).with("serverNodeConfiguration", reference.clone());
        let services = [Kind::EngineService, Kind::SchedulerService];
        for (kind, service_type) in services.into_iter().zip([3, 2]) {
            let settings =
                Row::new().with("id", catalog.id(kind, index | 1 << 40)).with("listenerPorts", Vec::new());
            rows.push((kind, end(service(kind).with("settings", settings), kind)));
            rows.push((
                Kind::ServiceStatus,
                status(catalog, index * 4 + service_type, service_type, reference.clone()),
            ));
        }
    }
    let reference = node_reference(catalog, 0, "Central");
    for service_type in [0, 1] {
        rows.push((Kind::ServiceStatus, status(catalog, 8 + service_type, service_type, reference.clone())));
    }
    let default = head(Kind::VirtualProxy, 0)
        .with("description", "Central Proxy (Default)")
        .with("sessionCookieHeaderName", "X-Qlik-Session")
        .with("defaultVirtualProxy", true);
    let header = head(Kind::VirtualProxy, 1)
        .with("prefix", "sso")
        .with("description", "Single sign-on by header")
        .with("sessionCookieHeaderName", "X-Qlik-Session-sso")
        .with("authenticationMethod", 1)
        .with("headerAuthenticationMode", 1)
        .with("headerAuthenticationHeaderName", "X-Forwarded-User")
        .with("headerAuthenticationStaticUserDirectory", "EXAMPLE");
    for row in [default, header] {
        let mut shown = template();
        shown.take(row);
        shown.set("loadBalancingServerNodes", vec![reference.clone().into()]);
        rows.push((Kind::VirtualProxy, end(shown, Kind::VirtualProxy)));
    }
    rows.push((
        Kind::ProxyService,
        proxy(catalog, head(Kind::ProxyService, 0), reference, listen_port, rest_port),
    ));
    rows
}

fn head(catalog: &Catalog, kind: Kind, index: u64) -> Row {
    Row::new()
        .with("id", catalog.id(kind, index))
        .at("createdDate", FIRST)
        .at("modifiedDate", FIRST)
        .with("modifiedByUserName", r"INTERNAL\sa_repository")
}

fn end(row: Row, kind: Kind) -> Row {
    row.with("privileges", Cell::Null).with("schemaPath", kind.entity().name)
}

fn node_reference(catalog: &Catalog, index: u64, name: &'static str) -> Row {
    Row::new()
        .with("id", catalog.id(Kind::ServerNode, index))
        .with("name", name)
        .with("hostName", if index == 0 { "localhost" } else { "rim.localhost" })
        .with("temporaryfilepath", r"C:\ProgramData\Qlik\Sense\Repository\TempContent")
        .with("privileges", Cell::Null)
}

fn node(head: Row, name: &'static str, host: String, central: bool) -> Row {
    let row = head
        .with("customProperties", Vec::new())
        .with("name", name)
        .with("hostName", host)
        .with("temporaryfilepath", r"C:\ProgramData\Qlik\Sense\Repository\TempContent")
        .with("isCentral", central)
        .with("nodePurpose", 2)
        .with("engineEnabled", true)
        .with("proxyEnabled", central)
        .with("schedulerEnabled", true)
        .with("printingEnabled", central)
        .with("failoverCandidate", false)
        .with("serviceCluster", Cell::Null)
        .with("roles", Vec::new())
        .with("tags", Vec::new());
    end(row, Kind::ServerNode)
}

fn status(catalog: &Catalog, index: u64, service_type: u64, node: Row) -> Row {
    let row = head(catalog, Kind::ServiceStatus, index)
        .with("serverNodeConfiguration", node)
        .with("serviceType", service_type as i64)
        .with("serviceState", 2)
        .at("timestamp", catalog.latest());
    end(row, Kind::ServiceStatus)
}

fn proxy(catalog: &Catalog, head: Row, node: Row, listen_port: u16, rest_port: u16) -> Row {
    let linked = [0, 1].map(|index| Row::new().with("id", catalog.id(Kind::VirtualProxy, index)).into());
    let verbosity = Row::new()
        .with("id", catalog.id(Kind::ProxyService, 2 << 40))
        .with("logVerbosityAuditActivity", 4)
        .with("logVerbosityService", 4);
    let settings = Row::new()
        .with("id", catalog.id(Kind::ProxyService, 1 << 40))
        .at("createdDate", FIRST)
        .at("modifiedDate", FIRST)
        .with("modifiedByUserName", r"INTERNAL\sa_repository")
        .with("listenPort", i64::from(listen_port))
        .with("allowHttp", false)
        .with("unencryptedListenPort", 80)
        .with("authenticationListenPort", 4244)
        .with("kerberosAuthentication", false)
        .with("unencryptedAuthenticationListenPort", 4248)
        .with("sslBrowserCertificateThumbprint", "")
        .with("keepAliveTimeoutSeconds", 10)
        .with("maxHeaderSizeBytes", 16384)
        .with("maxHeaderLines", 100)
        .with("logVerbosity", verbosity)
        .with("useWsTrace", false)
        .with("performanceLoggingInterval", 5)
        .with("restListenPort", i64::from(rest_port))
        .with("virtualProxies", linked.to_vec())
        .with("formAuthenticationPageTemplate", "")
        .with("loggedOutPageTemplate", "")
        .with("errorPageTemplate", "")
        .with("schemaPath", "ProxyService.Settings");
    let row = head
        .with("customProperties", Vec::new())
        .with("settings", settings)
        .with("serverNodeConfiguration", node)
        .with("tags", Vec::new());
    end(row, Kind::ProxyService)
}

/// A virtual proxy as the console would begin one: every member with its default.
pub(crate) fn template() -> Row {
    let row = Row::new()
        .with("id", Cell::Null)
        .with("createdDate", Cell::Null)
        .with("modifiedDate", Cell::Null)
        .with("modifiedByUserName", "");
    by_token(by_header(entrance(row)))
}

fn texts(row: Row, members: &[&'static str]) -> Row {
    members.iter().fold(row, |row, member| row.with(member, ""))
}

/// Where it is and what its sessions are like.
fn entrance(row: Row) -> Row {
    let row = texts(
        row,
        &[
            "prefix",
            "description",
            "authenticationModuleRedirectUri",
            "sessionModuleBaseUri",
            "loadBalancingModuleBaseUri",
        ],
    );
    row.with("useStickyLoadBalancing", false)
        .with("loadBalancingServerNodes", Vec::new())
        .with("authenticationMethod", 0)
        .with("anonymousAccessMode", 0)
        .with("windowsAuthenticationEnabledDevicePattern", "Windows")
        .with("sessionCookieHeaderName", "")
        .with("sessionCookieDomain", "")
        .with("hasSecureAttributeHttps", true)
        .with("sameSiteAttributeHttps", 2)
        .with("hasSecureAttributeHttp", false)
        .with("sameSiteAttributeHttp", 0)
        .with("additionalResponseHeaders", "")
        .with("sessionInactivityTimeout", 30)
        .with("extendedSecurityEnvironment", false)
        .with("websocketCrossOriginWhiteList", Vec::new())
        .with("defaultVirtualProxy", false)
        .with("tags", Vec::new())
        .with("customProperties", Vec::new())
}

/// Signing in by header and by SAML.
fn by_header(row: Row) -> Row {
    let row = texts(
        row.with("headerAuthenticationMode", 0),
        &[
            "headerAuthenticationHeaderName",
            "headerAuthenticationStaticUserDirectory",
            "headerAuthenticationDynamicUserDirectory",
            "samlMetadataIdP",
            "samlHostUri",
            "samlEntityId",
            "samlAttributeUserId",
            "samlAttributeUserDirectory",
        ],
    );
    row.with("samlAttributeSigningAlgorithm", 0).with("samlAttributeMap", Vec::new()).with("samlSlo", false)
}

/// Signing in by JWT, OIDC and mailed link.
fn by_token(row: Row) -> Row {
    let row = texts(
        row,
        &["jwtPublicKeyCertificate", "jwtAttributeUserId", "jwtAttributeUserDirectory", "jwtAudience"],
    );
    let row = texts(
        row.with("jwtAttributeMap", Vec::new()),
        &[
            "magicLinkHostUri",
            "magicLinkFriendlyName",
            "oidcConfigurationEndpointUri",
            "oidcClientId",
            "oidcClientSecret",
            "oidcRealm",
            "oidcAttributeSub",
            "oidcAttributeName",
            "oidcAttributeGroups",
            "oidcAttributeEmail",
            "oidcAttributeClientId",
            "oidcAttributePicture",
            "oidcScope",
        ],
    );
    row.with("oidcAttributeMap", Vec::new()).with("disableOidcOptionalAttributesParsing", false)
}
