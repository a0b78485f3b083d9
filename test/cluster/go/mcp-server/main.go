// A real MCP server as one static program, for an image with nothing else in it: no shell, no
// libc, no files. It speaks stdio through the official Go SDK.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type echoInput struct {
	Message string `json:"message" jsonschema:"the text to give back"`
}

type waitInput struct {
	Milliseconds int `json:"milliseconds" jsonschema:"how long to take over the answer"`
}

func text(format string, values ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, values...)}}}
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "static", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "echo", Description: "Gives a text back"},
		func(_ context.Context, _ *mcp.CallToolRequest, in echoInput) (*mcp.CallToolResult, any, error) {
			return text("Echo: %s", in.Message), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "who", Description: "Tells the process and its user"},
		func(_ context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			return text("pid %d uid %d", os.Getpid(), os.Getuid()), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "wait", Description: "Takes its time"},
		func(ctx context.Context, _ *mcp.CallToolRequest, in waitInput) (*mcp.CallToolResult, any, error) {
			select {
			case <-time.After(time.Duration(in.Milliseconds) * time.Millisecond):
				return text("waited %d ms", in.Milliseconds), nil, nil
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
		})
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Fatal(err)
	}
}
