//! Hashing a digest to a point of G1: RFC 9380, suite `BN254G1_XMD:KECCAK-256_SVDW_RO_`.

use alloy_primitives::{B256, Keccak256};
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, BigInteger, Field, MontFp, PrimeField};

/// What a signature is for. Separate tags keep a proof of possession from ever counting as a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Volumes, payouts, faults.
    Statement,
    /// Proof that the owner of a key holds its secret.
    Possession,
}

impl Tag {
    const fn dst(self) -> &'static [u8] {
        match self {
            Self::Statement => b"BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_",
            Self::Possession => b"BLS_POP_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_",
        }
    }
}

/// RFC 9380 writes a tag's length in one byte.
const _: () = assert!(Tag::Statement.dst().len() < 256 && Tag::Possession.dst().len() < 256);

/// Input block of Keccak-256 (its rate), in bytes.
const BLOCK: usize = 136;

/// Bytes for one field element: ceil((254 + 128) / 8), the 128 extra bits making the reduction's bias negligible.
const L: usize = 48;

/// Two field elements, in bytes.
const UNIFORM: usize = 96;

/// Constants of the Shallue-van de Woestijne map (RFC 9380, section 6.6.1) for y^2 = g(x) = x^3 + 3 and Z = 1.
/// A test derives each from its formula.
const Z: Fq = Fq::ONE;
/// c1 = g(Z)
const C1: Fq = MontFp!("4");
/// c2 = -Z / 2
const C2: Fq = MontFp!("0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3");
/// c3 = sqrt(-g(Z) * 3 Z^2), the even root
const C3: Fq = MontFp!("0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa");
/// c4 = -4 g(Z) / (3 Z^2)
const C4: Fq = MontFp!("0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd");

/// The point of G1 that a signature over `digest` multiplies. Nobody knows its discrete logarithm.
pub fn hash_to_curve(tag: Tag, digest: &B256) -> G1Affine {
    hash_bytes(tag.dst(), digest.as_slice())
}

pub(super) fn hash_bytes(dst: &[u8], message: &[u8]) -> G1Affine {
    let uniform = expand_message(dst, message);
    let (first, second) = uniform.split_at(L);
    let sum = G1Projective::from(map_to_curve(Fq::from_be_bytes_mod_order(first)))
        + map_to_curve(Fq::from_be_bytes_mod_order(second));
    sum.into_affine()
}

/// `expand_message_xmd` (RFC 9380, section 5.3.1) to 96 bytes: three blocks of Keccak-256. `dst` is under 256 bytes.
fn expand_message(dst: &[u8], message: &[u8]) -> [u8; UNIFORM] {
    let [.., dst_length] = dst.len().to_be_bytes();
    let block = |index: u8, input: &[&[u8]]| -> B256 {
        let mut hasher = Keccak256::new();
        for bytes in input {
            hasher.update(bytes);
        }
        hasher.update([index]);
        hasher.update(dst);
        hasher.update([dst_length]);
        hasher.finalize()
    };
    let b0 = block(0, &[&[0; BLOCK], message, &[0, 96]]);
    let b1 = block(1, &[b0.as_slice()]);
    let b2 = block(2, &[(b0 ^ b1).as_slice()]);
    let b3 = block(3, &[(b0 ^ b2).as_slice()]);

    let mut uniform = [0; UNIFORM];
    for (out, block) in uniform.chunks_exact_mut(32).zip([b1, b2, b3]) {
        out.copy_from_slice(block.as_slice());
    }
    uniform
}

/// The straight-line SvdW map (RFC 9380, appendix F.1).
pub fn map_to_curve(u: Fq) -> G1Affine {
    let scaled = u.square() * C1;
    let plus = Fq::ONE + scaled;
    let minus = Fq::ONE - scaled;
    // inv0 of the RFC: zero has the inverse zero.
    let inverse = (minus * plus).inverse().unwrap_or(Fq::ZERO);
    let offset = u * minus * inverse * C3;
    let x3 = (plus.square() * inverse).square() * C4 + Z;

    let (x, root) = lift(C2 - offset)
        .or_else(|| lift(C2 + offset))
        .or_else(|| lift(x3))
        .unwrap_or_else(|| unreachable!("g(x1) g(x2) g(x3) is a square, so one of the three is"));
    // The root with the sign of u, so that which of the two roots sqrt returns does not matter.
    let y = if is_odd(u) == is_odd(root) { root } else { -root };
    G1Affine::new_unchecked(x, y)
}

/// `x` with a root of g(x), if g(x) is a square.
fn lift(x: Fq) -> Option<(Fq, Fq)> {
    let y = (x.square() * x + MontFp!("3")).sqrt()?;
    Some((x, y))
}

/// `sgn0` of the RFC.
fn is_odd(element: Fq) -> bool {
    element.into_bigint().is_odd()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fq(decimal: &str) -> Fq {
        decimal.parse().unwrap()
    }

    fn hex_fq(digits: &str) -> Fq {
        Fq::from_be_bytes_mod_order(&hex::decode(format!("{digits:0>64}")).unwrap())
    }

    #[test]
    fn constants_follow_their_formulas() {
        let three_z2 = Z.square() * fq("3");
        assert_eq!(C1, Z.square() * Z + fq("3"));
        assert_eq!(C2, -Z / fq("2"));
        assert_eq!(C3.square(), -C1 * three_z2);
        assert!(!is_odd(C3));
        assert_eq!(C4, -fq("4") * C1 / three_z2);
    }

    /// From `hash_vectors_test.go` of Consensys/gnark-crypto (bn254, suite with SHA-256): (u, x, y) of the map alone.
    #[test]
    fn map_agrees_with_gnark() {
        for (u, x, y) in [
            (
                "2f87b81d9d6ef05ad4d249737498cc27e1bd485dca804487844feb3c67c1a9b5",
                "e449b959abbd0e5ab4c873eaeb1ccd887f1d9ad6cd671fd72cb8d77fb651892",
                "29ff1e36867c60374695ee0c298fcbef2af16f8f97ed356fa75e61a797ebb265",
            ),
            (
                "6de2d0d7c0d9c7a5a6c0b74675e7543f5b98186b5dbf831067449000b2b1f8e",
                "19388d9112a306fba595c3a8c63daa8f04205ad9581f7cf105c63c442d7c6511",
                "182da356478aa7776d1de8377a18b41e933036d0b71ab03f17114e4e673ad6e4",
            ),
            (
                "11945105b5e3d3b9392b5a2318409cbc28b7246aa47fa30da5739907737799a9",
                "1452c8cc24f8dedc25b24d89b87b64e25488191cecc78464fea84077dd156f8d",
                "209c3633505ba956f5ce4d974a868db972b8f1b69d63c218d360996bcec1ad41",
            ),
            (
                "1255fc9ad5a6e0fb440916f091229bda611c41be2f2283c3d8f98c596be4c8c9",
                "4e8357c98524e6208ae2b771e370f0c449e839003988c2e4ce1eaf8d632559f",
                "4396ec43dd8ec8f2b4a705090b5892219759da30154c39490fc4d59d51bb817",
            ),
            (
                "48527470f534978bae262c0f3ba8380d7f560916af58af9ad7dcb6a4238e633",
                "2298ba379768da62495af6bb390ffca9156fde1dc167235b89c6dd008d2f2f3b",
                "660564cf6fce5cdea4780f5976dd0932559336fd072b4ddd83ec37f00fc7699",
            ),
            (
                "19a6d8be25702820b9b11eada2d42f425343889637a01ecd7672fbcf590d9ffe",
                "2811dea430f7a1f6c8c941ecdf0e1e725b8ad1801ad15e832654bd8f10b62f16",
                "253390ed4fb39e58c30ca43892ab0428684cfb30b9df05fc239ab532eaa02444",
            ),
        ] {
            assert_eq!(map_to_curve(hex_fq(u)), G1Affine::new_unchecked(hex_fq(x), hex_fq(y)), "u = {u}");
        }
    }

    /// Known answers of the identity-based encryption library of randa-mu, made with noble-bn254-drand: the whole suite
    /// with Keccak-256, under that library's tag.
    #[test]
    fn suite_agrees_with_noble() {
        for (message, x, y) in [
            (
                "",
                "3653173467790182248506061396572709101962704209335577284294737943301013580835",
                "2746942348379889347830045590181038295853386711647916449093173473614869629216",
            ),
            (
                "AAAA",
                "16321686657743529192052651493099263906314638256513471437877788171012494023490",
                "1350849970859344403057974536687145189475558284863891842544885697009576643682",
            ),
            (
                "UOOQHNXMOVXWJZYTFTJCVYZCIXBSPVQY",
                "8929120621272588982321893216115445711479984949242622726428064156435284450717",
                "14990022920127397634122290672777445403200199610320581106924212874052592382108",
            ),
        ] {
            let point = hash_bytes(b"TEST_IBE_BN254G1_XMD:KECCAK-256_SVDW_RO_H1_", message.as_bytes());
            assert_eq!((point.x, point.y), (fq(x), fq(y)), "message {message:?}");
        }
    }

    #[test]
    fn exceptional_inputs_map_to_the_curve() {
        // u = 0, and 4 u^2 = 1 where the inverse does not exist.
        for u in [Fq::ZERO, Fq::ONE / fq("2"), -Fq::ONE / fq("2"), Fq::ONE, -Fq::ONE] {
            assert!(map_to_curve(u).is_on_curve(), "u = {u}");
        }
    }

    #[test]
    fn output_is_on_the_curve_and_tags_differ() {
        for index in 0..64u64 {
            let digest = alloy_primitives::keccak256(index.to_be_bytes());
            let statement = hash_to_curve(Tag::Statement, &digest);
            let possession = hash_to_curve(Tag::Possession, &digest);
            assert!(statement.is_on_curve() && possession.is_on_curve());
            assert_ne!(statement, possession);
            assert_eq!(statement, hash_to_curve(Tag::Statement, &digest));
        }
    }
}
