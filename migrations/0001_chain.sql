-- What the chain said, as the indexer follows it. Keys and hashes are BYTEA, amounts NUMERIC(78): uint256 fits.

-- Blocks that carried events, and the last block seen: enough to resume and to notice a reorganisation.
CREATE TABLE chain_blocks (
    number    BIGINT NOT NULL CONSTRAINT chain_blocks_pk PRIMARY KEY,
    hash      BYTEA  NOT NULL CONSTRAINT chain_blocks_hash_is_32_bytes CHECK (length(hash) = 32),
    timestamp BIGINT NOT NULL
);

-- Every event of every contract, decoded, in chain order. The chain view is a fold over this table.
CREATE TABLE chain_events (
    block_number BIGINT NOT NULL CONSTRAINT chain_events_block REFERENCES chain_blocks (number) ON DELETE CASCADE,
    log_index    BIGINT NOT NULL,
    event        JSONB  NOT NULL,
    CONSTRAINT chain_events_pk PRIMARY KEY (block_number, log_index)
);
