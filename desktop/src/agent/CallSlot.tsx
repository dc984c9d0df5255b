export default function CallSlot() {
  return null
}
