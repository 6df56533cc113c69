// A type's table in workgroup memory, where neighbouring invocations may look up different words at once: small tables in so
// many copies that each finds its own.
//! const HEAD: u32       words of the table
//! const COPIES: u32     copies of it, a power of two
//! const WORKGROUP: u32  invocations of a workgroup
const TABLE: u32 = HEAD * COPIES;
var<workgroup> table: array<u32, TABLE>;
var<private> table_slot: u32;

const AT_ONCE: u32 = WORKGROUP / COPIES; // words that the workgroup writes together

// table_start copies the table. All of the workgroup must call it, before any weights are read.
fn table_start(lid: u32) {
    if AT_ONCE == 4u {
        for (var four = 0u; four < HEAD / 4u; four++) {
            table[four * WORKGROUP + lid] = table_entry(four, lid / COPIES);
        }
    } else {
        for (var i = lid; i < TABLE; i += WORKGROUP) {
            table[i] = table_entry(i / COPIES / 4u, i / COPIES % 4u);
        }
    }
    table_slot = lid % COPIES;
    workgroupBarrier();
}
fn table_at(i: u32) -> u32 { return table[i * COPIES + table_slot]; }

// table_value looks up the code in bits 5 to 8, of a table of 16 in 32 copies.
fn table_value(code: u32) -> u32 { return table[(code & 0x1E0u) | table_slot]; }
