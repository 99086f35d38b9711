import { autocompletion, type CompletionContext, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { fits, type Known, markOf, type Part, PLACEHOLDER, typed } from "./placeholders";

interface Props {
  label: string;
  part: Part;
  value: string;
  onChange: (text: string) => void;
  known: Known;
}

// Colours are variables of the style sheet, so light and dark need nothing here.
const LOOK = EditorView.theme({
  "&": { fontSize: "12.5px", border: "1px solid var(--line)", borderRadius: "8px", backgroundColor: "var(--mantine-color-body)" },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "1.55", minHeight: "140px", maxHeight: "420px" },
  ".cm-content": { caretColor: "var(--mantine-color-text)" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-gutters": { backgroundColor: "var(--ground)", color: "var(--soft)", border: "none" },
  ".cm-tooltip": { backgroundColor: "var(--mantine-color-body)", color: "var(--mantine-color-text)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--mantine-primary-color-filled)", color: "#fff" },
  ".cm-completionInfo": { maxWidth: "280px", padding: "6px 10px" },
});

function marks(known: Known, part: Part): Extension {
  const matcher = new MatchDecorator({
    regexp: PLACEHOLDER,
    decoration: (found) => {
      const mark = markOf(found[1] ?? "", known, part);
      return mark ? Decoration.mark({ class: mark }) : null;
    },
  });
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = matcher.createDeco(view);
      }
      update(update: ViewUpdate) {
        this.decorations = matcher.updateDeco(update, this.decorations);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

function completion(known: Known, part: Part): Extension {
  const source = (context: CompletionContext) => {
    const line = context.state.doc.lineAt(context.pos);
    const from = typed(line.text.slice(0, context.pos - line.from));
    if (from < 0) return null;
    const closed = context.state.sliceDoc(context.pos, context.pos + 2) === "}}";
    return {
      from: line.from + from,
      to: closed ? context.pos + 2 : context.pos,
      options: [...known.values()]
        .filter((one) => fits(one, part))
        .map((one) => ({ label: `{{${one.name}}}`, type: "variable", info: one.description })),
    };
  };
  return autocompletion({ override: [source], icons: false });
}

/** An editor that marks placeholders and completes them after `{{`. Tab leaves it. */
export function PromptEditor({ label, part, value, onChange, known }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  const helpers = useRef(new Compartment());

  useEffect(() => {
    if (!place.current) return;
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(),
          history(),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }), // the scroller holds something that takes the focus
          LOOK,
          helpers.current.of([]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [label]); // the text comes by the effect below, so that the cursor stays where it is

  useEffect(() => {
    const there = view.current;
    if (there && there.state.doc.toString() !== value)
      there.dispatch({ changes: { from: 0, to: there.state.doc.length, insert: value } });
  }, [value, label]);

  useEffect(() => {
    view.current?.dispatch({ effects: helpers.current.reconfigure([marks(known, part), completion(known, part)]) });
  }, [known, part, label]);

  return <div ref={place} className="editor" />;
}
