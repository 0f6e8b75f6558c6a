// Pause holds a pod's namespaces: it waits until it is told to end. The workloads of the tests run nothing else either.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	<-told
}
