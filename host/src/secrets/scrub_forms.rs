//! The forms in which a secret turns up in what remote systems answer and what programs write.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use std::collections::BTreeSet;

/// Anything shorter is too common a text to be replaced.
pub(super) const SHORTEST: usize = 4;
/// A shorter line of a text of many lines is no secret by itself.
const SHORTEST_LINE: usize = 16;

/// Every form of a value that is worth looking for. All are whole texts, so a match never cuts a character in two.
pub(super) fn forms(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    written(value, &mut forms);
    recoded(value, &mut forms);
    for line in lines(value) {
        written(line, &mut forms);
    }
    if let Some(signature) = signature(value) {
        written(signature, &mut forms);
        recoded(signature, &mut forms);
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// The forms that leave letters and digits as they are and escape what is special somewhere.
fn written(value: &str, forms: &mut BTreeSet<String>) {
    forms.insert(value.to_owned());
    percent(value, forms);
    json(value, forms);
    html(value, forms);
}

/// The forms in which nothing remains as it was.
fn recoded(value: &str, forms: &mut BTreeSet<String>) {
    // Names of headers and hosts lose their capitals; what shouts has nothing else.
    forms.extend([value.to_lowercase(), value.to_uppercase()]);
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.extend([hex.to_uppercase(), hex]);
    base64(value.as_bytes(), forms);
}

/// Percent-encoding: what is kept as it is differs from one encoder to the next.
fn percent(value: &str, forms: &mut BTreeSet<String>) {
    const KEPT: [&str; 10] = [
        // Nothing, as RFC 3986 says, as JavaScript does, and as the careless do.
        "",
        "-._~",
        "-_.!~*'()",
        "-_.",
        // The parts of a URL, as browsers and URL libraries do: query (two), path, segment (two), user and password.
        "!$%&'()*+,-./:;=?@[\\]^_`{|}~",
        "!$%&()*+,-./:;=?@[\\]^_`{|}~",
        "!$%&'()*+,-./:;=@[\\]^_|~",
        "!$&'()*+,-.:;=@[]^_|~",
        "!$&'()*+,-.:;=@[]_|~",
        "!$%&'()*+,-._~",
    ];
    // What a form makes of a space, when the search has taken the escapes away.
    forms.insert(value.replace(' ', "+"));
    for upper in [true, false] {
        for kept in KEPT {
            forms.insert(percent_encode(value, kept, upper, false));
        }
        // The form encoding of browsers, and that of encoders that keep the tilde.
        forms.insert(percent_encode(value, "*-._", upper, true));
        forms.insert(percent_encode(value, "-._~", upper, true));
    }
    // A URL within a URL, such as where to return to after signing in.
    for kept in ["", "-._~"] {
        forms.insert(percent_encode(&percent_encode(value, kept, true, false), kept, true, false));
    }
}

fn percent_encode(value: &str, kept: &str, upper: bool, plus: bool) -> String {
    let mut text = String::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        match byte {
            b' ' if plus => text.push('+'),
            _ if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => text.push(byte.into()),
            _ if upper => text.push_str(&format!("%{byte:02X}")),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text
}

/// Base64 of the value by itself, and the stretch of it inside the base64 of a longer text (such as `user:secret`), which
/// depends on how many bytes stand before it, modulo 3. Only the characters that the value determines alone are looked
/// for, so up to four bits of it remain at each end.
fn base64(value: &[u8], forms: &mut BTreeSet<String>) {
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(value);
        let first = [0, 2, 3][before];
        let determined = bytes.len() * 8 / 6;
        for engine in [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            // To the end, where the value is the last thing in it, and to what is certain, where it is not.
            forms.extend(text.get(first..determined).map(str::to_owned));
            forms.extend(text.get(first..).map(str::to_owned));
        }
    }
}

/// JSON: the least that must be escaped, and what careful encoders escape besides.
fn json(value: &str, forms: &mut BTreeSet<String>) {
    let least = json_escape(value, "", false, false);
    forms.insert(least.replace('/', "\\/"));
    // A text of JSON within JSON.
    forms.insert(json_escape(&least, "", false, false));
    forms.insert(least);
    for upper in [true, false] {
        forms.insert(json_escape(value, "", true, upper));
        forms.insert(json_escape(value, "<>&", false, upper));
        // As .NET writes it, and as Gson does.
        forms.insert(json_escape(value, "\"<>&'+`", true, upper));
        forms.insert(json_escape(value, "<>&='", false, upper));
    }
}

fn json_escape(value: &str, also: &str, ascii: bool, upper: bool) -> String {
    let mut text = String::with_capacity(value.len() * 2);
    for character in value.chars() {
        match character {
            _ if also.contains(character) || (ascii && !character.is_ascii()) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
                }
            }
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..'\u{20}' => text.push_str(&format!("\\u{:04x}", character as u32)),
            _ => text.push(character),
        }
    }
    text
}

/// HTML: what must be escaped, and the several ways to write what need not be.
fn html(value: &str, forms: &mut BTreeSet<String>) {
    let least = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for double in ["&quot;", "&#34;", "&#x22;"] {
        let double = least.replace('"', double);
        for single in ["&#39;", "&#x27;", "&#039;", "&apos;", "'"] {
            let both = double.replace('\'', single);
            forms.insert(both.replace('/', "&#x2F;"));
            // As .NET writes it, and as templates do that care for old browsers.
            forms.insert(both.replace('+', "&#x2B;"));
            forms.insert(both.replace('+', "&#43;"));
            forms.insert(both.replace('`', "&#x60;").replace('=', "&#x3D;").replace('/', "&#x2F;"));
            forms.insert(both);
        }
    }
    forms.insert(least);
}

/// The lines of a value of many lines, such as a private key in PEM, however they are joined. The armour and what stands
/// in a certificate or a public key is public and stays readable.
fn lines(value: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut public = false;
    for line in value.lines().map(str::trim).filter(|_| value.trim().contains('\n')) {
        if line.starts_with("-----") {
            public = line.starts_with("-----BEGIN")
                && (line.contains("CERTIFICATE") || line.contains("PUBLIC KEY"));
        } else if !public && line.len() >= SHORTEST_LINE {
            lines.push(line);
        }
    }
    lines
}

/// The signature of a JWT: the rest of it is no secret, and without it worth nothing.
fn signature(value: &str) -> Option<&str> {
    let mut parts = value.split('.');
    let (header, _, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_jwt = header.starts_with("eyJ") && parts.next().is_none() && signature.len() >= SHORTEST_LINE;
    is_jwt.then_some(signature)
}
