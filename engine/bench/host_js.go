package bench

import "syscall/js"

// hostName says which browser runs.
func hostName() string { return js.Global().Get("navigator").Get("userAgent").String() }
