// A walk in several launches, which of them a uniform says.
//! const SPAN_BINDING: u32  binding of the launch's number
@group(0) @binding(SPAN_BINDING) var<uniform> span: vec4<u32>;

fn span_number() -> u32 { return span.x; }
