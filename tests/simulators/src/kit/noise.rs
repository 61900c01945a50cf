//! Deterministic noise: every property of a generated row is a function of (seed, kind, index), so a million rows
//! need no memory. Mixing is a bijection, so an id can be turned back into its index.

/// A bijective 64-bit mixer (the finaliser of splitmix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The inverse of [`mix`].
pub(crate) fn unmix(value: u64) -> u64 {
    let mut z = value;
    z = (z ^ (z >> 31) ^ (z >> 62)).wrapping_mul(0x3196_42B2_D24D_8EC3);
    z = (z ^ (z >> 27) ^ (z >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
    z ^ (z >> 30) ^ (z >> 60)
}

/// Noise from three numbers.
pub(crate) fn hash(seed: u64, stream: u64, index: u64) -> u64 {
    mix(seed ^ mix(index ^ (stream << 48)))
}

/// Noise from a text (FNV-1a, then mixed).
pub(crate) fn hash_text(text: &str) -> u64 {
    let folded = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    mix(folded)
}

/// A permutation of `0..count` that needs no memory: multiplication by a number coprime to `count`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shuffle {
    count: u64,
    factor: u64,
    inverse: u64,
}

impl Shuffle {
    /// A permutation of `0..count`.
    pub(crate) fn new(count: u64) -> Self {
        let mut factor = (u128::from(count) * 618 / 1000) as u64 | 1;
        while count > 1 && gcd(factor, count) != 1 {
            factor += 2;
        }
        Self { count, factor, inverse: inverse(factor, count) }
    }

    /// Where `index` stands.
    pub(crate) fn rank(&self, index: u64) -> u64 {
        self.times(index, self.factor)
    }

    /// Which index stands at `rank`.
    pub(crate) fn index(&self, rank: u64) -> u64 {
        self.times(rank, self.inverse)
    }

    fn times(&self, value: u64, factor: u64) -> u64 {
        if value >= self.count {
            return value;
        }
        (u128::from(value) * u128::from(factor) % u128::from(self.count)) as u64
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn inverse(value: u64, modulus: u64) -> u64 {
    if modulus <= 1 {
        return 0;
    }
    let (mut r, mut next_r) = (i128::from(modulus), i128::from(value % modulus));
    let (mut t, mut next_t) = (0_i128, 1_i128);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r - quotient * next_r);
        (t, next_t) = (next_t, t - quotient * next_t);
    }
    t.rem_euclid(i128::from(modulus)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_can_be_undone() {
        for value in [0, 1, 42, u64::MAX, 0x1234_5678_9ABC_DEF0] {
            assert_eq!(unmix(mix(value)), value);
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        for count in [1, 2, 3, 10, 97, 1000] {
            let shuffle = Shuffle::new(count);
            let mut seen: Vec<u64> = (0..count).map(|index| shuffle.rank(index)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
            assert!((0..count).all(|index| shuffle.index(shuffle.rank(index)) == index));
        }
    }
}
