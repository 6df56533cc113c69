// Chunks of a row that recurrence_pairs and recurrence_chunks share.
const CHUNK: u32 = 16u;
// A token's words in pairs, for each head: its rows of T and P, then β (or Δ), that with the decay since the chunk's start, the
// same for q, what is left of the token at the chunk's end, and of what was there before it.
const FACTORS: u32 = 2u * CHUNK;
const PAIR_WORDS: u32 = FACTORS + 8u;
