-- Each term has its index, in order: a young table is not to be taken for a small one, a common name not for one that is
-- met soon wherever one reads, and a page is not worth compiling.
SELECT
    set_config('enable_seqscan', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    set_config('jit', 'off', true)
