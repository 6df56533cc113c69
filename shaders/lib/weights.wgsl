// Weights by their type's library. A unit is the smallest share of a row that an invocation takes: 8 weights, in every type
// those at 4i..4i+3 (low) and 16+4i..16+4i+3 (high) of a strip of 32, i = unit % 4, so that neighbouring invocations read
// neighbouring words of the weights and of the activations alike.
//
// A type's library, dequant_NAME.wgsl, has
//   codes, scales   the planes
//   unit_at         loads a unit
//   unit_low, _high its weights as floats, before scale and minimum
//   unit_either     low or high, as neighbouring invocations may want
//   unit_codes      the same as 8-bit integers, four a word, where the type has integers; CODE_UNIT is what 1 stands for
//   bits_at         loads what the scale and the minimum of a strip's units are made of
//   scale_of        makes them
//   HAS_SCALE       whether weights are to be multiplied by the scale
//   HAS_MIN         whether the minimum is to be added
//   HALVES          whether scale and minimum differ between low and high
//   pack_codes      and pack_scales: see pack.wgsl
//   HEAD            words of its table, which stands before the scales and in which table_at looks up; most have none
//   table_entry     a word of it, for tables that are copied
// Where products are exact or rounded once, as in ggml's types, code · scale + minimum is what ggml gives, bit for bit.
//! slot dequant: dequant_*
//! slot table: table_plane table_copy table_lanes
struct Scale {
    scale: vec2<f32>, // of low and of high
    least: vec2<f32>,
}

// scale_at is the scale and the minimum of a strip's units.
fn scale_at(row: u32, strip: u32) -> Scale { return scale_of(bits_at(row, strip), strip); }

fn weights_low(u: Unit, s: Scale) -> vec4<f32> { return weights(unit_low(u), s.scale.x, s.least.x); }
fn weights_high(u: Unit, s: Scale) -> vec4<f32> { return weights(unit_high(u), s.scale.y, s.least.y); }

fn weights(codes: vec4<f32>, scale: f32, least: f32) -> vec4<f32> {
    if HAS_MIN {
        return codes * scale + least;
    }
    if HAS_SCALE {
        return codes * scale;
    }
    return codes;
}
