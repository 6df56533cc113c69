// What types without a table say of it.
const HEAD: u32 = 0u;
const COPIES: u32 = 1u;
