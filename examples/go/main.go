// skim counts the words of a text, or finds the longest. An example of a Go program that reports through otel-bridge.
//
//	skim count [FILE]
//	skim longest [FILE]
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// recorded starts this program once more below `otel-bridge run`, where that is installed. Where nobody agreed,
// otel-bridge makes room for it at once; SKIM_RUN says that this run is known already.
func recorded() {
	bridge, err := exec.LookPath("otel-bridge")
	self, problem := os.Executable()
	if err != nil || problem != nil || os.Getenv("SKIM_RUN") != "" {
		return
	}
	words := append([]string{"otel-bridge", "run", "--product", "skim", "--", self}, os.Args[1:]...)
	_ = syscall.Exec(bridge, words, append(os.Environ(), "SKIM_RUN=1")) // when that fails, it runs unrecorded
}

// tell records an event; whatever becomes of that, skim goes on.
func tell(event string, pairs ...string) {
	if bridge, err := exec.LookPath("otel-bridge"); err == nil {
		emit := exec.Command(bridge, append([]string{"emit", event, "--product", "skim"}, pairs...)...)
		emit.Stderr = os.Stderr // a mistake of ours is told there
		_ = emit.Run()
	}
}

func main() {
	recorded()
	if len(os.Args) < 2 || len(os.Args) > 3 || (os.Args[1] != "count" && os.Args[1] != "longest") {
		fmt.Fprintln(os.Stderr, "usage: skim count|longest [FILE]")
		os.Exit(2)
	}
	var text io.Reader = os.Stdin
	if len(os.Args) == 3 {
		file, err := os.Open(os.Args[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, "skim:", err)
			os.Exit(1)
		}
		defer file.Close()
		text = file
	}
	started, words, longest := time.Now(), 0, ""
	scanner := bufio.NewScanner(text)
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		words++
		if len(scanner.Text()) > len(longest) {
			longest = scanner.Text()
		}
	}
	if os.Args[1] == "count" {
		fmt.Println(words)
	} else {
		fmt.Println(longest)
	}
	tell("skim.read",
		"skim.words="+strconv.Itoa(words),
		"skim.seconds="+strconv.FormatFloat(time.Since(started).Seconds(), 'f', 3, 64),
		"skim.standard_input="+strconv.FormatBool(len(os.Args) == 2))
}
