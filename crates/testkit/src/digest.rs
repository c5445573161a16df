//! Numbers and ids that depend on the request alone.
//!
//! Enters: bytes. Leaves: a seed, and ids that look like the providers' own.
//! Never: uses `std`'s hasher, whose results may change with the compiler: the sandbox answers the same today and in a year.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// FNV-1a, 64 bits.
pub(crate) fn seed(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in *part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // A separator, so that ("ab", "c") and ("a", "bc") differ.
        hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

/// The `index`-th number of the sequence that begins at `seed` (splitmix64).
pub(crate) fn number(seed: u64, index: u64) -> u64 {
    let mut mixed = seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// `prefix` and `length` letters and digits; `index` tells several ids of one answer apart.
pub(crate) fn id(prefix: &str, seed: u64, index: u64, length: usize) -> String {
    let start = number(seed ^ self::seed(&[prefix.as_bytes()]), index);
    let letters = (0..length as u64).map(|at| char::from(ALPHABET[(number(start, at) % 62) as usize]));
    prefix.chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_the_same_for_ever() {
        let request = seed(&[b"POST", b"/v1/messages", b"{}"]);
        assert_eq!(request, 0xc00e_9c1b_fc91_2d9b);
        assert_eq!(id("msg_", request, 0, 12), "msg_MuQkip3GbJvN");
        assert_ne!(id("msg_", request, 0, 12), id("msg_", request, 1, 12));
    }
}
