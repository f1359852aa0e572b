-- What the chain said, as the indexer follows it. Keys and hashes are BYTEA, amounts NUMERIC(78): uint256 fits.

-- The last block of each batch that was followed, the recent ones: enough to resume, and to step back from a reorganisation.
CREATE TABLE chain_blocks (
    number    BIGINT NOT NULL CONSTRAINT chain_blocks_pk PRIMARY KEY,
    hash      BYTEA  NOT NULL CONSTRAINT chain_blocks_hash_is_32_bytes CHECK (length(hash) = 32),
    timestamp BIGINT NOT NULL
);

-- Every event of every contract, decoded (`ChainEvent` as JSON), in chain order. The chain view is a fold over this table.
CREATE TABLE chain_events (
    block_number BIGINT NOT NULL,
    log_index    BIGINT NOT NULL,
    event        JSONB  NOT NULL,
    CONSTRAINT chain_events_pk PRIMARY KEY (block_number, log_index)
);
