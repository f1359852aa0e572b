//! Gas of the modexp precompile by EIP-7883, which both chains charge.

use alloy::primitives::U256;

const LEAST: u64 = 500;

/// `None` if the lengths in the input's header cannot be those of a call that succeeded.
pub fn gas(input: &[u8]) -> Option<u64> {
    let base = length(input, 0)?;
    let exponent = length(input, 32)?;
    let modulus = length(input, 64)?;
    let longest = base.max(modulus);
    let complexity = if longest <= 32 { 16 } else { 2 * longest.div_ceil(8).checked_pow(2)? };
    // The header, the base, then the exponent: its first 32 bytes decide.
    let head = word(input, base.checked_add(96)?, exponent.min(32));
    let bits = u64::try_from(head.bit_len().saturating_sub(1)).ok()?;
    let further = 16 * u64::try_from(exponent.saturating_sub(32)).ok()?;
    let iterations = further.checked_add(bits)?.max(1);
    let gas = u64::try_from(complexity).ok()?.checked_mul(iterations)?;
    Some(gas.max(LEAST))
}

fn length(input: &[u8], at: usize) -> Option<usize> {
    // Longer operands fail (EIP-7823).
    const LONGEST: usize = 1024;
    usize::try_from(word(input, at, 32)).ok().filter(|length| *length <= LONGEST)
}

/// Big-endian; what is beyond the input reads as zeroes.
fn word(input: &[u8], at: usize, length: usize) -> U256 {
    let bytes: Vec<u8> = (at..at + length).map(|i| input.get(i).copied().unwrap_or(0)).collect();
    U256::from_be_slice(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(base: usize, exponent: &[u8], modulus: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for length in [base, exponent.len(), modulus] {
            bytes.extend(U256::from(length).to_be_bytes::<32>());
        }
        bytes.extend(vec![3; base]);
        bytes.extend(exponent);
        bytes.extend(vec![5; modulus]);
        bytes
    }

    #[test]
    fn by_size_and_exponent() {
        // (q + 1) / 4 and the like: 254 bits, 252 squarings after the first two.
        let mut exponent = [0xff; 32];
        exponent[0] = 0x0c;
        assert_eq!(gas(&input(32, &exponent, 32)), Some(16 * 251));
        assert_eq!(gas(&input(32, &[0xff; 32], 32)), Some(16 * 255));
        assert_eq!(gas(&input(32, &[1], 32)), Some(500), "never less");
        assert_eq!(gas(&input(32, &[], 32)), Some(500));
        assert_eq!(gas(&input(64, &[0xff; 32], 32)), Some(2 * 64 * 255), "by the longer operand");
        assert_eq!(gas(&input(33, &[0xff; 32], 40)), Some(2 * 25 * 255));
        assert_eq!(gas(&input(32, &[0xff; 34], 32)), Some(16 * (2 * 16 + 255)));
    }

    #[test]
    fn short_input_reads_as_zeroes() {
        assert_eq!(gas(&[]), Some(500));
        let mut whole = input(32, &[0xff; 32], 32);
        whole.truncate(96 + 32 + 1);
        assert_eq!(gas(&whole), Some(16 * 255));
    }

    #[test]
    fn absurd_lengths_are_no_price() {
        assert_eq!(gas(&[0xff; 96]), None);
        assert_eq!(gas(&input(1025, &[1], 1)), None);
    }
}
