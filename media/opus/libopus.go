package opus

/*
#cgo pkg-config: opus
#cgo noescape opus_encode
#cgo nocallback opus_encode
#cgo noescape opus_decode
#cgo nocallback opus_decode
#include <opus.h>
*/
import "C"

// Version returns the name and version of the libopus in use.
func Version() string { return C.GoString(C.opus_get_version_string()) }

// An Error is a failure that libopus reports.
type Error struct {
	Op   string // such as "encode Opus"
	Code int    // one of the OPUS_... codes of libopus, negative
}

// Error returns the operation and the text of libopus for the code.
func (e *Error) Error() string { return e.Op + ": " + C.GoString(C.opus_strerror(C.int(e.Code))) }

// failed returns the error of a result, nil if it is none.
func failed(op string, result C.int) error {
	if result >= 0 {
		return nil
	}
	return &Error{Op: op, Code: int(result)}
}

// state returns size bytes in which libopus may keep what it likes. Memory of
// this type is not scanned, and libopus puts no Go pointer there.
func state(size C.int) []uint64 { return make([]uint64, (int(size)+7)/8) }
