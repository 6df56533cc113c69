// A type's table in workgroup memory, where neighbouring invocations may look up different words at once.
//! const HEAD: u32       words of the table
//! const WORKGROUP: u32  invocations of a workgroup
var<workgroup> table: array<u32, HEAD>;

// table_start copies the table. All of the workgroup must call it, before any weights are read.
fn table_start(lid: u32) {
    for (var i = lid; i < HEAD; i += WORKGROUP) {
        table[i] = table_entry(i);
    }
    workgroupBarrier();
}
fn table_at(i: u32) -> u32 { return table[i]; }
