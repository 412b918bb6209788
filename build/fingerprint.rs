//! A content hash that a build script can compute with nothing but the standard library.

/// FNV-1a, 64 bits, over the parts with their lengths, as 16 hexadecimal digits.
///
/// It tells whether a file has changed by accident, and protects from nothing else.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.len().to_le_bytes().into_iter().chain(part.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
