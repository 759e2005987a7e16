module github.com/callrx/callrx/media/opus

go 1.26
