-- Settlement's own: intents before broadcast, and offences on their way to a slash.

-- An intent is written before anything is broadcast. `purpose` names the step ('post:7', 'push:7:0', 'slash:0x..'):
-- a restarted settlement finds it and goes on instead of doing it twice.
CREATE TABLE transactions (
    id           BIGINT      GENERATED ALWAYS AS IDENTITY CONSTRAINT transactions_pk PRIMARY KEY,
    purpose      TEXT        NOT NULL CONSTRAINT transactions_purpose_once UNIQUE,
    sender       BYTEA       NOT NULL,
    nonce        BIGINT      NOT NULL,
    target       BYTEA       NOT NULL,
    calldata     BYTEA       NOT NULL,
    gas_limit    BIGINT      NOT NULL,
    status       TEXT        NOT NULL CONSTRAINT transactions_status_known CHECK (status IN
                   ('intended', 'broadcast', 'mined', 'final', 'reverted')),
    block_number BIGINT,
    gas_used     BIGINT,
    error        TEXT,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT transactions_nonce_once UNIQUE (sender, nonce)
);

-- Signed forms of an intent: the first and its same-nonce replacements with a higher fee.
CREATE TABLE transaction_attempts (
    transaction_id BIGINT      NOT NULL CONSTRAINT attempts_transaction REFERENCES transactions (id),
    hash           BYTEA       NOT NULL CONSTRAINT transaction_attempts_pk PRIMARY KEY,
    raw            BYTEA       NOT NULL,
    max_fee        NUMERIC(39) NOT NULL,
    priority_fee   NUMERIC(39) NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Provable offences found by the indexer, keyed by slot so that each is punished once.
CREATE TABLE offences (
    slot        BYTEA       NOT NULL CONSTRAINT offences_pk PRIMARY KEY,
    kind        TEXT        NOT NULL CONSTRAINT offences_kind_known CHECK (kind IN
                  ('receipt_equivocation', 'receipt_regression')),
    epoch       BIGINT      NOT NULL,
    relayer     BYTEA       NOT NULL,
    receiver    BYTEA       NOT NULL,
    operator_id BIGINT,                 -- null: the receiver works for no operator, nothing to slash
    first       BYTEA       NOT NULL,   -- postcard of Unchecked<BandwidthReceipt>, lower sequence first
    second      BYTEA       NOT NULL,
    status      TEXT        NOT NULL DEFAULT 'found' CONSTRAINT offences_status_known CHECK (status IN
                  ('found', 'submitted', 'slashed', 'refused')),
    amount      NUMERIC(78),
    reason      TEXT,
    found_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);
