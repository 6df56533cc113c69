// What a router chose: for each token its USED experts, the best first, and what each counts for. A choice is one expert of
// one token; choices count on from token to token.
//! include: step
//! const USED: u32    experts of a token
//! const M_WORD: u32  the step's word with the number of tokens
struct Choice { expert: u32, weight: f32 }
fn choices() -> u32 { return step[M_WORD] * USED; }
