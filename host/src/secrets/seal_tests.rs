//! Attacks on sealed values: moved, altered, cut off.

use super::*;

const HOME: Binding<'static> = Binding {
    install: "install-1",
    connection: "c1",
    subject: "",
    credential: "oauth",
    field: "client_secret",
    version: 1,
    purpose: "value",
};

/// Two values for each part, in every combination; neighbours that would be equal if the parts were merely joined.
fn bindings() -> Vec<Binding<'static>> {
    (0..128_u32)
        .map(|bits| {
            let pick = |bit: u32, one, other| if bits >> bit & 1 == 0 { one } else { other };
            Binding {
                install: pick(0, "install-1", "install-1c"),
                connection: pick(1, "c1", "1"),
                subject: pick(2, "", "oauth"),
                credential: pick(3, "oauth", ""),
                field: pick(4, "client_secret", "client_secretv"),
                version: if bits >> 5 & 1 == 0 { 1 } else { 2 },
                purpose: pick(6, "value", "alue"),
            }
        })
        .collect()
}

#[test]
fn opens_in_its_own_place() {
    let key = DataKey::generate();
    for plaintext in [&b""[..], b"x", &[0; 100_000]] {
        let sealed = key.seal(&HOME, plaintext);
        assert_eq!(&key.open(&HOME, &sealed).unwrap()[..], plaintext);
        assert_eq!(sealed.len(), plaintext.len() + 42);
    }
}

#[test]
fn opens_in_no_other_place() {
    let key = DataKey::generate();
    let bindings = bindings();
    let sealed: Vec<_> = bindings.iter().map(|binding| key.seal(binding, b"the same value")).collect();
    let mut swaps = 0;
    for (target, binding) in bindings.iter().enumerate() {
        for (moved, sealed) in sealed.iter().enumerate() {
            assert_eq!(
                key.open(binding, sealed).is_ok(),
                target == moved,
                "{binding:?} and {:?}",
                bindings[moved]
            );
            swaps += usize::from(target != moved);
        }
    }
    assert_eq!(swaps, 16_256);
}

#[test]
fn opens_with_no_other_key() {
    let sealed = DataKey::generate().seal(&HOME, b"value");
    let other = DataKey::generate();
    assert!(other.open(&HOME, &sealed).is_err());
    // Nor with the other key's id written into the header.
    let mut relabelled = sealed;
    relabelled[6..14].copy_from_slice(&other.id);
    assert!(other.open(&HOME, &relabelled).is_err());
}

#[test]
fn every_bit_counts() {
    let key = DataKey::generate();
    let sealed = key.seal(&HOME, b"a value of some length");
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(&HOME, &flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_byte_of_the_header_counts() {
    let key = DataKey::generate();
    let sealed = key.seal(&HOME, b"value");
    for at in 0..26 {
        for byte in (0..=u8::MAX).filter(|byte| *byte != sealed[at]) {
            let mut edited = sealed.clone();
            edited[at] = byte;
            assert!(key.open(&HOME, &edited).is_err(), "byte {at} = {byte}");
        }
    }
}

#[test]
fn nothing_may_be_missing_or_added() {
    let key = DataKey::generate();
    let sealed = key.seal(&HOME, b"a value of some length");
    for length in 0..sealed.len() {
        assert!(key.open(&HOME, &sealed[..length]).is_err(), "the first {length} bytes");
        assert!(key.open(&HOME, &sealed[sealed.len() - length..]).is_err(), "the last {length} bytes");
    }
    assert!(key.open(&HOME, &[&sealed[..], b"\0"].concat()).is_err());
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let key = DataKey::generate();
    assert_ne!(key.seal(&HOME, b"value"), key.seal(&HOME, b"value"));
}

#[test]
fn the_error_names_the_place() {
    let error = DataKey::generate().open(&HOME, b"garbage").unwrap_err().to_string();
    assert!(
        error.starts_with("the sealed value of \"oauth.client_secret\" (version 1) of connection c1"),
        "{error}"
    );
}
