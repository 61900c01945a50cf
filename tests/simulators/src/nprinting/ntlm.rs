//! The three messages of NTLM, as far as a client must see them: its first gets a challenge, and the name in its third
//! is believed. The proof of the password in it is not checked.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Unicode, target name, NTLM, always sign, target is a domain, extended security, target info, 128 and 56 bits.
const FLAGS: u32 = 0xA28A_8205;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The first.
    Negotiate,
    /// The third.
    Authenticate {
        /// `DOMAIN\name`.
        account: String,
    },
}

/// Reads the message in the header.
pub(crate) fn message(headers: &HeaderMap) -> Option<Message> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("ntlm") && !scheme.eq_ignore_ascii_case("negotiate") {
        return None;
    }
    parse(&STANDARD.decode(token.trim()).ok()?)
}

fn parse(message: &[u8]) -> Option<Message> {
    if !message.starts_with(SIGNATURE) {
        return None;
    }
    match number(message, 8)? {
        1 => Some(Message::Negotiate),
        3 => {
            let unicode = number(message, 60).unwrap_or(FLAGS) & 1 == 1;
            let (domain, user) = (text(message, 28, unicode)?, text(message, 36, unicode)?);
            let account = if domain.is_empty() { user } else { format!(r"{domain}\{user}") };
            Some(Message::Authenticate { account })
        }
        _ => None,
    }
}

/// The second message, ready for `WWW-Authenticate`.
pub(crate) fn challenge() -> String {
    let target = utf16("EXAMPLE");
    // The domain's name, and the end of the list.
    let mut info = vec![2, 0, target.len() as u8, 0];
    info.extend_from_slice(&target);
    info.extend_from_slice(&[0; 4]);
    let mut out = SIGNATURE.to_vec();
    out.extend_from_slice(&2_u32.to_le_bytes());
    field(&mut out, target.len(), 56);
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend_from_slice(&Uuid::new_v4().as_bytes()[..8]);
    out.extend_from_slice(&[0; 8]);
    field(&mut out, info.len(), 56 + target.len());
    out.extend_from_slice(&[10, 0, 0x61, 0x4A, 0, 0, 0, 15]);
    out.extend_from_slice(&target);
    out.extend_from_slice(&info);
    format!("NTLM {}", STANDARD.encode(out))
}

/// Length twice, then where it is.
fn field(out: &mut Vec<u8>, length: usize, offset: usize) {
    out.extend_from_slice(&(length as u16).to_le_bytes());
    out.extend_from_slice(&(length as u16).to_le_bytes());
    out.extend_from_slice(&(offset as u32).to_le_bytes());
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn number(message: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(message.get(at..at + 4)?.try_into().ok()?))
}

fn text(message: &[u8], at: usize, unicode: bool) -> Option<String> {
    let length = u16::from_le_bytes(message.get(at..at + 2)?.try_into().ok()?) as usize;
    let from = number(message, at + 4)? as usize;
    let bytes = message.get(from..from.checked_add(length)?)?;
    if !unicode {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_message_names_its_user() {
        let (domain, user) = (utf16("EXAMPLE"), utf16("user0000000"));
        let mut message = SIGNATURE.to_vec();
        message.extend_from_slice(&3_u32.to_le_bytes());
        field(&mut message, 0, 64);
        field(&mut message, 0, 64);
        field(&mut message, domain.len(), 64);
        field(&mut message, user.len(), 64 + domain.len());
        field(&mut message, 0, 64);
        field(&mut message, 0, 64);
        message.extend_from_slice(&1_u32.to_le_bytes());
        message.extend_from_slice(&domain);
        message.extend_from_slice(&user);
        let account = r"EXAMPLE\user0000000".to_owned();
        assert_eq!(parse(&message), Some(Message::Authenticate { account }));
        assert_eq!(parse(&message[..70]), None);
    }
}
