// Package storagetest checks implementations of [session.Storage], as
// testing/fstest checks file systems: hand [TestStorage] what makes an empty
// storage, and [TestShared] what makes two that share their values, and fail
// your test with the error they return.
//
//	func TestMyStorage(t *testing.T) {
//		open := func() (session.Storage, error) { return mystorage.New(t.TempDir()) }
//		if err := storagetest.TestStorage(t.Context(), open); err != nil {
//			t.Fatal(err)
//		}
//	}
package storagetest
