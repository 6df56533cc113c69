// What types without a table say of it.
const HEAD: u32 = 0u;
const CODE_UNIT: f32 = 1.0;
