package paging

// EventKind says what happened.
type EventKind uint8

const (
	Stored     EventKind = iota // a block was published
	Removed                     // a block's content can no longer be found: evicted, or unpublished
	Cleared                     // the whole prefix cache was emptied
	Forked                      // a table was forked
	Copied                      // Block is copied to To in this step
	SwappedOut                  // Block goes to host block To
	SwappedIn                   // Block comes from host block To
)

// String gives the kind's name.
func (k EventKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

var kindNames = [...]string{"stored", "removed", "cleared", "forked", "copied", "swapped out", "swapped in"}

// Event is one change of the cache, for pages and dashboards.
type Event struct {
	Kind      EventKind
	Sequence  uint64 // of the table, as NewTable's caller set it; 0 where none is meant
	Group     int32
	Block, To int32
	Hash      Hash // of Stored and Removed
}
