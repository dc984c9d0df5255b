export default function Life() {
  return null
}
