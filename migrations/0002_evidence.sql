-- Signed evidence. Partitioned by epoch (ranges are added as epochs come), so that old epochs leave by dropping a table and
-- one machine's database can grow into partitions on several servers.

-- The last bandwidth receipt of each pair: totals are cumulative, a later sequence replaces an earlier one.
CREATE TABLE bandwidth_receipts (
    epoch       BIGINT      NOT NULL,
    relayer     BYTEA       NOT NULL CONSTRAINT bandwidth_relayer_is_address CHECK (length(relayer) = 20),
    receiver    BYTEA       NOT NULL CONSTRAINT bandwidth_receiver_is_address CHECK (length(receiver) = 20),
    sequence    BIGINT      NOT NULL CONSTRAINT bandwidth_sequence_from_one CHECK (sequence > 0),
    digest      BYTEA       NOT NULL,
    body        BYTEA       NOT NULL, -- postcard of Unchecked<BandwidthReceipt>
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT bandwidth_receipts_pk PRIMARY KEY (epoch, relayer, receiver)
) PARTITION BY RANGE (epoch);

CREATE TABLE delivery_receipts (
    epoch       BIGINT      NOT NULL,
    receiver    BYTEA       NOT NULL CONSTRAINT delivery_receiver_is_address CHECK (length(receiver) = 20),
    digest      BYTEA       NOT NULL,
    body        BYTEA       NOT NULL, -- postcard of Unchecked<DeliveryReceipt>
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT delivery_receipts_pk PRIMARY KEY (epoch, receiver)
) PARTITION BY RANGE (epoch);

-- Two rows of one operator for one part are an equivocation; neither counts.
CREATE TABLE volume_attestations (
    epoch       BIGINT      NOT NULL,
    part        BYTEA       NOT NULL CONSTRAINT volume_part_is_32_bytes CHECK (length(part) = 32),
    operator_id BIGINT      NOT NULL,
    digest      BYTEA       NOT NULL,
    body        BYTEA       NOT NULL, -- postcard of VolumeAttestation
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT volume_attestations_pk PRIMARY KEY (epoch, part, operator_id, digest)
) PARTITION BY RANGE (epoch);

CREATE TABLE payout_attestations (
    epoch       BIGINT      NOT NULL,
    operator_id BIGINT      NOT NULL,
    digest      BYTEA       NOT NULL,
    signature   BYTEA       NOT NULL CONSTRAINT attestation_signature_is_64_bytes CHECK (length(signature) = 64),
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT payout_attestations_pk PRIMARY KEY (epoch, operator_id, digest)
) PARTITION BY RANGE (epoch);

CREATE TABLE bandwidth_receipts_rest PARTITION OF bandwidth_receipts DEFAULT;
CREATE TABLE delivery_receipts_rest PARTITION OF delivery_receipts DEFAULT;
CREATE TABLE volume_attestations_rest PARTITION OF volume_attestations DEFAULT;
CREATE TABLE payout_attestations_rest PARTITION OF payout_attestations DEFAULT;

-- Refused evidence, kept with its reason; the indexer bounds the number of rows.
CREATE TABLE rejected_evidence (
    id          BIGINT      GENERATED ALWAYS AS IDENTITY CONSTRAINT rejected_evidence_pk PRIMARY KEY,
    peer        TEXT        NOT NULL,
    kind        TEXT        NOT NULL,
    reason      TEXT        NOT NULL,
    body        BYTEA       NOT NULL,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
