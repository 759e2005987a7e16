package wire_test

import (
	"testing"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func TestErrorsHiddenInResults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		result wire.Raw
		want   *wire.Error
	}{
		{"no code", `{"identity":"id-1@puc","protocol":"p"}`, nil},
		{"absent", ``, nil},
		{"null", `null`, nil},
		{"array", `[{"code":"404"}]`, nil},
		{"text", `"code"`, nil},
		{"not JSON", `{"code":"404"`, nil},
		{"code 200 as text", `{"code":"200","message":"OK"}`, nil},
		{"code 200 as number", `{"code":200}`, nil},
		{"code 299", `{"code":"299"}`, nil},
		{"code null", `{"code":null}`, nil},
		{"code further down is data", `{"code":"200","member":{"code":"404"}}`, nil},
		{"code 199", `{"code":"199"}`, &wire.Error{Code: 199}},
		{"code 300", `{"code":300}`, &wire.Error{Code: 300}},
		{"code 0", `{"code":0}`, &wire.Error{}},
		{"permission denied", `{"code":"-32001","message":"Permission Denied.","data":{"a":1},"node_id":"n"}`,
			&wire.Error{Code: -32001, Message: "Permission Denied.", Data: `{"a":1}`}},
		{"refusal without message", `{"code":"404"}`, &wire.Error{Code: 404}},
		{"code that is no number", `{"message":"no","code":"INVALID"}`, &wire.Error{CodeText: "INVALID", Message: "no"}},
		{"code of another kind", `{"code":{"x":1}}`, &wire.Error{CodeText: `{"x":1}`}},
		{"nested success", `{"code":"200","node_id":"n","result":{"jsonrpc":"2.0","id":"v","result":{"message":"CALL CREATED"}}}`, nil},
		{"nested error", `{"code":"200","node_id":"n-1@us-east","result":{"jsonrpc":"2.0","id":"v-3","error":{"code":-32002,"message":"CALL DOES NOT EXIST","causeCode":95,"cause":"INVALID_MSG_UNSPECIFIED"}}}`,
			&wire.Error{Code: -32002, Message: "CALL DOES NOT EXIST", Cause: "INVALID_MSG_UNSPECIFIED", CauseCode: 95}},
		{"cause code as text", `{"result":{"error":{"code":-32002,"causeCode":"17","cause":"USER_BUSY"}}}`,
			&wire.Error{Code: -32002, Cause: "USER_BUSY", CauseCode: 17}},
		{"nested error wins over the outer code", `{"code":"500","message":"outer","result":{"error":{"code":1,"message":"inner"}}}`,
			&wire.Error{Code: 1, Message: "inner"}},
		{"nested error null", `{"code":"200","result":{"error":null,"result":{}}}`, nil},
		{"nested error as text", `{"code":"200","result":{"error":"boom"}}`, &wire.Error{Data: `"boom"`}},
		{"nested result of another kind", `{"code":"200","result":[{"error":{}}]}`, nil},
		{"error one level too deep is data", `{"code":"200","result":{"result":{"error":{"code":1}}}}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, wire.ResultError(tc.result)); diff != "" {
				t.Errorf("ResultError(%s) (-want +got):\n%s", tc.result, diff)
			}
		})
	}
}
