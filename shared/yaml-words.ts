// What is wrong with a text that is no YAML, in our own words, by the YAML library's code for it. Pure.

const WORDS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) takes neither anchor nor tag',
  BAD_ALIAS: 'an alias needs a name: put a text that begins with * in quotes',
  BAD_COLLECTION_TYPE: 'its tag says that it is something else',
  BAD_DIRECTIVE: 'a line that begins with % is no text here: put it in quotes',
  BAD_DQ_ESCAPE: 'there is no such escape in double quotes; single quotes take a \\ as it is',
  BAD_INDENT:
    'a bracket or brace above is not closed, or this is indented otherwise than what it belongs to',
  BAD_PROP_ORDER: 'an anchor or tag stands at the wrong place',
  BAD_SCALAR_START: 'a text cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon in one line: put the text in quotes',
  BLOCK_IN_FLOW: 'what stands in brackets or braces goes on in block style',
  DUPLICATE_KEY: 'the key stands twice',
  KEY_OVER_1024_CHARS:
    'the key is longer than 1024 characters: a colon or a quote is missing above',
  MISSING_CHAR: 'something that was opened is not closed, or a comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines: a colon or a quote is missing',
  MULTIPLE_ANCHORS: 'it has two anchors',
  MULTIPLE_DOCS: 'it holds several documents',
  MULTIPLE_TAGS: 'it has two tags',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab; YAML is indented by spaces',
  TAG_RESOLVE_FAILED: 'there is no such tag',
  UNEXPECTED_TOKEN: 'nothing like this may stand here: a quote, a bracket or an indent is amiss',
}

export const yamlWords = (code: string): string => WORDS[code] ?? 'this is no YAML'
