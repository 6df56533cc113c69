// Factors in f16 that are nibbles less eight, exact, whose scale the sum of a strip's products is multiplied by: with x shrunk, and kept to
// MOST then, no sum of 32 leaves f16's range. At bit 0 of the mantissa of 1024 a nibble adds its value, and at bit 4 sixteen times that.
//! include: weights
//! slot pair: pair_bitcast pair_unpacked
//! const SHRINK: f32  factor of x
struct Factors { low: vec4<f16>, high: vec4<f16> }
const MOST: f32 = 255.875;
fn at_ones(u: u32) -> vec2<f16> { return two_of((u & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h); }
fn at_sixteens(u: u32) -> vec2<f16> { return fma(two_of((u & 0x00F000F0u) | 0x64006400u), vec2<f16>(0.0625h), vec2<f16>(-72.0h)); }
fn factors(u: Unit) -> Factors {
    let a = at_ones(u);
    let b = at_sixteens(u);
    let c = at_ones(u >> 8u);
    let d = at_sixteens(u >> 8u);
    return Factors(vec4<f16>(a.x, b.x, c.x, d.x), vec4<f16>(a.y, b.y, c.y, d.y));
}
fn factors_added(sum: vec4<f16>, s: Scale, to: vec4<f32>) -> vec4<f32> { return fma(vec4<f32>(sum), vec4<f32>(s.scale.x * (1.0 / SHRINK)), to); }
