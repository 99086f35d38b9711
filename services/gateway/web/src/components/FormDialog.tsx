import { Drawer, Modal } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useBlocker } from "react-router";
import { Discard } from "./Discard";

/** How a dialog may close now: freely; after a question, since something is not saved; or not before what is under way is over. */
type Closing = "freely" | "asking" | "not yet";
type Tell = () => Closing;

const Inside = createContext<Set<Tell> | null>(null);

/** Of what stands in a dialog: says how that may close now. Outside of one nothing happens. */
export function useClosing(tell: Tell): void {
  const tells = useContext(Inside);
  useEffect(() => {
    tells?.add(tell);
    return () => void tells?.delete(tell);
  });
}

interface Props {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  size?: string;
  drawer?: boolean;
  /** For one without fields of its own. */
  closeOnClickOutside?: boolean;
  children: ReactNode;
}

/** A dialog that does not take with it what was typed, nor the outcome of what is under way: see `useClosing`. */
export function FormDialog({ opened, onClose, title, size, drawer = false, closeOnClickOutside = false, children }: Props) {
  const [tells] = useState(() => new Set<Tell>());
  const [asked, setAsked] = useState(false);
  const outermost = useContext(Inside) === null;
  useClosing(() => (opened ? "not yet" : "freely")); // of a dialog around this one
  const closing: Tell = () => {
    const all = [...tells].map((tell) => tell());
    return all.includes("not yet") ? "not yet" : all.includes("asking") ? "asking" : "freely";
  };
  const close = () => {
    const how = closing();
    if (how === "asking") setAsked(true);
    else if (how === "freely") onClose();
  };
  const discard = () => {
    setAsked(false);
    onClose();
  };
  const shared = { opened, title, size, closeOnClickOutside, onClose: close, closeButtonProps: { "aria-label": "Close" } };
  const inside = <Inside value={tells}>{children}</Inside>;
  return (
    <>
      {drawer ? <Drawer {...shared} position="right">{inside}</Drawer> : <Modal {...shared}>{inside}</Modal>}
      {opened && asked && <Discard onKeep={() => setAsked(false)} onDiscard={discard} />}
      {opened && outermost && <Back closing={closing} />}
    </>
  );
}

/** The browser's way back takes a dialog with it no sooner than its own cross does. What a dialog does to the address itself passes. */
function Back({ closing }: { closing: Tell }) {
  const leaving = useBlocker(({ historyAction }) => historyAction === "POP" && closing() !== "freely");
  const asks = closing() === "asking";
  useEffect(() => {
    if (leaving.state === "blocked" && !asks) leaving.reset();
  }, [leaving, asks]);
  return leaving.state === "blocked" && asks ? <Discard onKeep={leaving.reset} onDiscard={leaving.proceed} /> : null;
}
