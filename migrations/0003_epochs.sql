-- Epochs on their way from open to final, and what they pay.

CREATE TABLE epochs (
    epoch       BIGINT      NOT NULL CONSTRAINT epochs_pk PRIMARY KEY,
    status      TEXT        NOT NULL CONSTRAINT epochs_status_known CHECK (status IN
                  ('open', 'closing', 'aggregated', 'proposed', 'attested', 'posted', 'paid', 'final')),
    checkpoint  BIGINT      NOT NULL,
    -- Of this epoch alone.
    scheduled   NUMERIC(78) NOT NULL DEFAULT 0,
    messages    BIGINT      NOT NULL DEFAULT 0, -- certified, all parts
    bytes       BIGINT      NOT NULL DEFAULT 0,
    certified_parts INT     NOT NULL DEFAULT 0,
    sponsored_parts INT     NOT NULL DEFAULT 0,
    -- The proposal: root over cumulative payouts, cumulative total, and the evidence bundle (postcard of Bundle).
    root        BYTEA,
    total       NUMERIC(78),
    bundle      BYTEA,
    -- Set by settlement.
    post_tx     BYTEA,
    proposed_at TIMESTAMPTZ,
    attested_at TIMESTAMPTZ,
    posted_at   TIMESTAMPTZ,
    paid_at     TIMESTAMPTZ,
    final_at    TIMESTAMPTZ,
    CONSTRAINT epochs_proposal_is_whole CHECK ((root IS NULL) = (total IS NULL) AND (root IS NULL) = (bundle IS NULL)),
    CONSTRAINT epochs_proposed_has_root CHECK (status IN ('open', 'closing', 'aggregated') OR root IS NOT NULL)
);

-- Certified volumes.
CREATE TABLE volumes (
    epoch      BIGINT NOT NULL CONSTRAINT volumes_epoch REFERENCES epochs (epoch),
    part       BYTEA  NOT NULL,
    stream     TEXT   NOT NULL,
    partition  INT    NOT NULL,
    messages   BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    set_digest BYTEA  NOT NULL,
    signers    BIGINT[] NOT NULL,
    CONSTRAINT volumes_pk PRIMARY KEY (epoch, part)
);

-- One earning: sponsorship and part it came from, operator and kind it went to.
CREATE TABLE payout_lines (
    epoch          BIGINT      NOT NULL CONSTRAINT payout_lines_epoch REFERENCES epochs (epoch),
    sponsorship_id BIGINT      NOT NULL,
    part           BYTEA       NOT NULL,
    operator_id    BIGINT      NOT NULL,
    kind           TEXT        NOT NULL CONSTRAINT payout_lines_kind_known CHECK (kind IN
                     ('attester', 'availability', 'relay', 'delivery')),
    amount         NUMERIC(78) NOT NULL CONSTRAINT payout_lines_positive CHECK (amount > 0)
);
CREATE INDEX payout_lines_by_epoch ON payout_lines (epoch, operator_id);

CREATE TABLE refunds (
    epoch          BIGINT      NOT NULL CONSTRAINT refunds_epoch REFERENCES epochs (epoch),
    sponsorship_id BIGINT      NOT NULL,
    amount         NUMERIC(78) NOT NULL CONSTRAINT refunds_positive CHECK (amount > 0),
    CONSTRAINT refunds_pk PRIMARY KEY (epoch, sponsorship_id)
);

-- Chunks of the proposed tree, in entry order, ready to be pushed.
CREATE TABLE payout_chunks (
    epoch       BIGINT        NOT NULL CONSTRAINT payout_chunks_epoch REFERENCES epochs (epoch),
    chunk       INT           NOT NULL,
    entries     NUMERIC(78)[] NOT NULL,
    leaf        BYTEA         NOT NULL,
    proof       BYTEA[]       NOT NULL,
    -- Something in it was not paid by the base's chunks.
    changed     BOOLEAN       NOT NULL,
    push_tx     BYTEA,
    CONSTRAINT payout_chunks_pk PRIMARY KEY (epoch, chunk)
);
