//! Addresses: which are never connected to, and which only where the operator's own setting leads there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be done with an address. The text says what it is: "a loopback address".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Anybody may.
    Public,
    /// Only where the operator's own setting names it.
    Private(&'static str),
    /// Nobody may: no connector has a reason to, and attackers have.
    Never(&'static str),
}

const METADATA: &str = "the address of a cloud's metadata service";

/// Judges an address; one that wraps another (IPv4 in IPv6, in its several ways) is judged as that one.
pub(super) fn judge(address: IpAddr) -> Verdict {
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => match wrapped(address) {
            Some(inner) => judge_v4(inner),
            None => judge_v6(address),
        },
    }
}

fn judge_v4(address: Ipv4Addr) -> Verdict {
    match address.octets() {
        [169, 254, 169, 254] | [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => {
            Verdict::Never(METADATA)
        }
        [169, 254, ..] => Verdict::Never("a link-local address"),
        [0, ..] => Verdict::Never("an unspecified address"),
        [224..=239, ..] => Verdict::Never("a multicast address"),
        [255, 255, 255, 255] => Verdict::Never("the broadcast address"),
        [240..=255, ..] => Verdict::Never("a reserved address"),
        [127, ..] => Verdict::Private("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Verdict::Private("a private address"),
        [100, 64..=127, ..] => Verdict::Private("a carrier's shared address"),
        [192, 0, 0, _] | [198, 18..=19, ..] => Verdict::Private("a special-purpose address"),
        _ => Verdict::Public,
    }
}

fn judge_v6(address: Ipv6Addr) -> Verdict {
    const EC2: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const GCE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
    match address.segments() {
        _ if address == EC2 || address == GCE => Verdict::Never(METADATA),
        [0, 0, 0, 0, 0, 0, 0, 0] => Verdict::Never("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Verdict::Private("a loopback address"),
        [0xfe80..=0xfebf, ..] => Verdict::Never("a link-local address"),
        [0xff00..=0xffff, ..] => Verdict::Never("a multicast address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Verdict::Private("a private address"),
        _ => Verdict::Public,
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, translated, behind NAT64, 6to4, or Teredo.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(join(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(join(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => {
            Some(join(high, low))
        }
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_has_its_verdict() {
        let table = [
            ("93.184.215.14", "public"),
            ("2606:4700::1111", "public"),
            ("127.0.0.1", "private"),
            ("127.9.9.9", "private"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.32.0.1", "public"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "private"),
            ("100.128.0.1", "public"),
            ("198.18.0.1", "private"),
            ("::1", "private"),
            ("fd12:3456::1", "private"),
            ("fec0::1", "private"),
            ("::ffff:10.0.0.1", "private"),
            ("64:ff9b::10.0.0.1", "private"),
            ("2002:0a00:0001::", "private"),
            ("0.0.0.0", "never"),
            ("0.1.2.3", "never"),
            ("169.254.0.1", "never"),
            ("169.254.169.254", "never"),
            ("100.100.100.200", "never"),
            ("168.63.129.16", "never"),
            ("224.0.0.1", "never"),
            ("240.0.0.1", "never"),
            ("255.255.255.255", "never"),
            ("::", "never"),
            ("fe80::1", "never"),
            ("febf::1", "never"),
            ("ff02::1", "never"),
            ("fd00:ec2::254", "never"),
            ("fd20:ce::254", "never"),
            ("::ffff:169.254.169.254", "never"),
            ("64:ff9b::169.254.169.254", "never"),
            ("2002:a9fe:a9fe::", "never"),
            ("::169.254.169.254", "never"),
            // IPv4-translated, the local-use NAT64 prefix, and Teredo, whose client's address stands inverted at its end.
            ("::ffff:0:10.0.0.1", "private"),
            ("::ffff:0:169.254.169.254", "never"),
            ("64:ff9b:1::10.0.0.1", "private"),
            ("64:ff9b:1:ffff::169.254.169.254", "never"),
            ("2001:0:4136:e378:8000:63bf:5601:5601", "never"),
            ("2001:db9::1", "public"),
        ];
        for (address, expected) in table {
            let verdict = match judge(address.parse().unwrap()) {
                Verdict::Public => "public",
                Verdict::Private(_) => "private",
                Verdict::Never(_) => "never",
            };
            assert_eq!(verdict, expected, "{address}");
        }
    }
}
