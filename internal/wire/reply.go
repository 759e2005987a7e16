package wire

import "strconv"

// An Error is a JSON-RPC error in any of the three places the service puts one.
type Error struct {
	Code     int
	CodeText string // the code as sent, for codes that are not numbers
	Message  string
	Data     Raw
	// Why a call was refused, which a Verto error tells beside its code: the cause and its number (ITU-T Q.850).
	Cause     string
	CauseCode int
}

// decodeError reads an error object. A value of another kind becomes an Error
// whose Data holds it, since an error in an unknown shape is still an error;
// null is none, as in JSON-RPC 1.0.
func decodeError(p *scanner) (*Error, error) {
	if p.peek() != '{' {
		raw, err := p.raw()
		if err != nil || raw.IsNull() {
			return nil, err
		}
		return &Error{Data: raw}, nil
	}
	e := new(Error)
	return e, p.object(func(p *scanner, key string) (err error) {
		switch key {
		case "code":
			_, err = e.code(p)
		case "message":
			e.Message, _, err = text(p)
		case "data":
			e.Data, err = p.raw()
		case "cause":
			e.Cause, _, err = text(p)
		case "causeCode":
			var cause Error
			_, err = cause.code(p)
			e.CauseCode = cause.Code
		default:
			err = p.skip()
		}
		return err
	})
}

// code reads a status code written as a number or as a string, and reports
// whether there is one.
func (e *Error) code(p *scanner) (sent bool, err error) {
	var s string
	if p.peek() == '"' {
		s, err = p.str()
	} else {
		var raw Raw
		if raw, err = p.raw(); !raw.IsNull() {
			s = string(raw)
		}
	}
	e.Code, e.CodeText = 0, s
	if n, failed := strconv.Atoi(s); failed == nil {
		e.Code, e.CodeText = n, ""
	}
	return s != "", err
}

// ResultError finds the error a result carries although the envelope says
// success: a code outside 200-299 beside the data ({"code":"-32001",
// "message":...}), or an inner JSON-RPC error one level down, as the media
// service nests it. It returns nil for a success.
func ResultError(result Raw) *Error {
	p := scanner{s: string(result)}
	var outer Error
	var coded bool
	var inner *Error
	err := p.object(func(p *scanner, key string) (err error) {
		switch key {
		case "code":
			coded, err = outer.code(p)
		case "message":
			outer.Message, _, err = text(p)
		case "data":
			outer.Data, err = p.raw()
		case "result":
			inner, err = nestedError(p)
		default:
			err = p.skip()
		}
		return err
	})
	switch {
	case err != nil:
		return nil
	case inner != nil:
		return inner
	case !coded || outer.Code >= 200 && outer.Code <= 299:
		return nil
	}
	return &outer
}

func nestedError(p *scanner) (e *Error, err error) {
	err = p.object(func(p *scanner, key string) (err error) {
		if key == "error" {
			e, err = decodeError(p)
			return err
		}
		return p.skip()
	})
	return e, err
}
