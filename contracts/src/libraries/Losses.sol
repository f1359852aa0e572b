// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Stake that waits to be withdrawn, and what slashes leave of it.
/// @notice A loss hits every claim in proportion without touching any: the queue keeps the product of what all losses
/// left (`kept`), and a claim remembers the product at its time. The sum of all claims' values never exceeds `total`:
/// every product and every value is rounded down, and what that leaves over stays in `total`.
/// @dev When so little is left that the product loses precision, a new era begins and older claims are worth nothing;
/// by then they are worth less than 2^-63 of what they were.
library Losses {
    uint256 internal constant ONE = 1 << 127;
    uint256 internal constant LEAST = 1 << 64;

    /// @dev One slot. `kept` is 0 before the first loss and stands for `ONE` then.
    struct Queue {
        uint96 total;
        uint128 kept;
        uint32 era;
    }

    /// @dev One slot. `kept` and `era` are the queue's when the claim was made.
    struct Claim {
        uint96 amount;
        uint128 kept;
        uint32 era;
    }

    function add(Queue storage self, uint96 amount) internal returns (Claim memory) {
        Queue memory queue = self;
        self.total = queue.total + amount;
        return Claim({amount: amount, kept: queue.kept, era: queue.era});
    }

    /// @notice Ends a claim on the queue and returns what it is worth.
    function remove(Queue storage self, Claim memory claim) internal returns (uint96 value) {
        value = valueDown(self, claim);
        self.total -= value;
    }

    /// @notice Takes `loss`, at most `total`, from all claims.
    function take(Queue storage self, uint96 loss) internal {
        if (loss == 0) return;
        Queue memory queue = self;
        uint96 rest = queue.total - loss;
        // At most ONE, so both casts are safe.
        uint256 kept = _product(queue.kept) * rest / queue.total;
        if (kept < LEAST) self.era = queue.era + 1;
        self.kept = uint128(kept < LEAST ? ONE : kept);
        self.total = rest;
    }

    function valueDown(Queue memory queue, Claim memory claim) internal pure returns (uint96) {
        if (claim.era != queue.era) return 0;
        // Products only fall within an era, so the value is at most the amount.
        return uint96(claim.amount * _product(queue.kept) / _product(claim.kept));
    }

    function _product(uint128 kept) private pure returns (uint256) {
        return kept == 0 ? ONE : kept;
    }
}
