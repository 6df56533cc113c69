// A walk in several launches of TILES tiles each, which of them a uniform says. The header sets SPAN_BINDING.
@group(0) @binding(SPAN_BINDING) var<uniform> span: vec4<u32>;

fn span_number() -> u32 { return span.x; }
