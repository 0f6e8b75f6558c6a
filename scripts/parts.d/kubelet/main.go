// Serves the kubelet's /portForward/{namespace}/{pod}, as the API server calls it, for pods that are processes of a test.
//
// A kubelet hands such a request on to its container runtime, whose streaming server speaks WebSocket and SPDY and dials the port
// on the pod's own loopback address. Both halves are the real libraries here: apimachinery's upgrade-aware proxy, and the CRI
// streaming server. Only the pod's loopback is stood in for: each pod has one of its own in 127.0.0.0/8, given by -pod.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/proxy"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// pods maps namespace/name to the pod's loopback address.
type pods map[string]string

func (p pods) String() string { return fmt.Sprint(map[string]string(p)) }

func (p pods) Set(text string) error {
	name, address, found := strings.Cut(text, "=")
	if !found || net.ParseIP(address) == nil || !strings.Contains(name, "/") {
		return fmt.Errorf("expected NAMESPACE/POD=ADDRESS, found %q", text)
	}
	p[name] = address
	return nil
}

// sandboxes is the container runtime, whose pod sandboxes are named by their loopback addresses.
type sandboxes struct{}

func (sandboxes) PortForward(ctx context.Context, sandbox string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	address := net.JoinHostPort(sandbox, strconv.Itoa(int(port)))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside the pod: %w", port, err)
	}
	go func() {
		// The client has gone: so does its connection.
		defer conn.Close()
		_, _ = io.Copy(conn, stream)
	}()
	_, _ = io.Copy(stream, conn)
	return nil
}

func (sandboxes) Exec(context.Context, string, []string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return fmt.Errorf("there is no exec here")
}

func (sandboxes) Attach(context.Context, string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return fmt.Errorf("there is no attach here")
}

// kubelet is the half that the API server talks to.
type kubelet struct {
	pods    pods
	runtime streaming.Server
}

func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pod := r.PathValue("namespace") + "/" + r.PathValue("pod")
	log.Printf("%s %s", r.Method, r.URL)
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sandbox, found := k.pods[pod]
	if !found {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return
	}
	answer, err := k.runtime.GetPortForward(&runtimeapi.PortForwardRequest{PodSandboxId: sandbox, Port: options.Ports})
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	location, err := url.Parse(answer.Url)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	proxy.NewUpgradeAwareHandler(location, nil, false, true, failed{}).ServeHTTP(w, r)
}

// failed tells the API server why the runtime could not be reached.
type failed struct{}

func (failed) Error(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func main() {
	known := pods{}
	listen := flag.String("listen", "", "the address to serve at; port 0 takes a free one")
	certificate := flag.String("cert", "", "the serving certificate, a PEM file")
	key := flag.String("key", "", "its key, a PEM file")
	flag.Var(known, "pod", "NAMESPACE/POD=ADDRESS, once for each pod")
	flag.Parse()

	config := streaming.DefaultConfig
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	config.BaseURL = &url.URL{Scheme: "http", Host: inner.Addr().String(), Path: "/cri/"}
	runtime, err := streaming.NewServer(config, sandboxes{})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(inner, runtime)) }()

	mux := http.NewServeMux()
	mux.Handle("/portForward/{namespace}/{pod}", &kubelet{pods: known, runtime: runtime})
	outer, err := net.Listen("tcp4", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(outer.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.ServeTLS(outer, mux, *certificate, *key))
}
