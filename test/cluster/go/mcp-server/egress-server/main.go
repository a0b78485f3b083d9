// A static server that reaches what it is told to: the tools of test/fixtures/egress/pod-server.ts, as net and net/http have them.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const limit = 5 * time.Second

type fetchInput struct {
	URL string `json:"url"`
}

type dialInput struct {
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
}

func fetch(url string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	// It is on record when the connection has ended.
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return fmt.Sprintf("%d %s", answer.StatusCode, body), err
}

func dial(protocol, address string) (string, error) {
	connection, err := net.DialTimeout(protocol, address, limit)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if protocol == "tcp" {
		return "connected", nil
	}
	connection.SetDeadline(time.Now().Add(limit))
	if _, err := connection.Write([]byte("echo far")); err != nil {
		return "", err
	}
	said := make([]byte, 512)
	length, err := connection.Read(said)
	return string(said[:length]), err
}

func result(said string, err error) (*mcp.CallToolResult, any, error) {
	if err != nil {
		said = "failed: " + err.Error()
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: said}}}, nil, nil
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "egress", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "fetch", Description: "Tells what a URL answers"},
		func(_ context.Context, _ *mcp.CallToolRequest, in fetchInput) (*mcp.CallToolResult, any, error) {
			return result(fetch(in.URL))
		})
	mcp.AddTool(server, &mcp.Tool{Name: "dial", Description: "Connects, and tells what is answered"},
		func(_ context.Context, _ *mcp.CallToolRequest, in dialInput) (*mcp.CallToolResult, any, error) {
			return result(dial(in.Protocol, in.Address))
		})
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Fatal(err)
	}
}
