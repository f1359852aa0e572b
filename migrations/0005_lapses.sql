-- Epochs that were not certified in time pay nobody: the chain gives them up, and settlement writes that down. What was computed for them
-- stays as it was and is never paid.

ALTER TABLE epochs DROP CONSTRAINT epochs_status_known;
ALTER TABLE epochs ADD CONSTRAINT epochs_status_known CHECK (status IN
    ('open', 'closing', 'aggregated', 'proposed', 'attested', 'posted', 'paid', 'final', 'lapsed'));

ALTER TABLE epochs DROP CONSTRAINT epochs_proposed_has_root;
ALTER TABLE epochs ADD CONSTRAINT epochs_proposed_has_root CHECK
    (status IN ('open', 'closing', 'aggregated', 'lapsed') OR root IS NOT NULL);
